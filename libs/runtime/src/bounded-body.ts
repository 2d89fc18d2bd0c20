/** Reads answers of others to a bound: whoever answers without end, or with a bomb that unpacks to gigabytes, costs one connection. */

/** The largest answer that is read, bytes after unpacking. A page of 250 messages with long lists of recipients has a tenth of it. */
const MAX_BODY = 32 * 1024 * 1024;

/** `code` is what `transportFailure` knows it by. */
class BodyTooLarge extends Error {
  readonly code = 'BODY_TOO_LARGE';
}

/** The body as text, whatever its bytes are. Throws `BodyTooLarge`, having hung up, and what `fetch` throws when the connection breaks. */
export async function readText(response: Response, most = MAX_BODY): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  // Leaving the loop cancels the stream, which closes the connection.
  for await (const part of response.body ?? []) {
    size += part.byteLength;
    if (size > most) throw new BodyTooLarge(`the answer has more than ${most} bytes`);
    parts.push(part);
  }
  return new TextDecoder().decode(Buffer.concat(parts));
}

/** `fetch` for those who read the answer themselves: it is here in full, within `most` bytes, or it fails. */
export async function fetchWithin(most: number, url: string, init: RequestInit): Promise<Response> {
  const response = await fetch(url, { ...init, redirect: 'manual' });
  const text = await readText(response, most);
  return new Response(text || null, { status: response.status, headers: response.headers });
}
