/** `/batch/gmail/v1`: up to a hundred calls as parts of one body, each with an answer of its own. */
import { GoogleFault, invalid } from './errors.ts';
import type { GmailReply } from './request.ts';

export interface BatchItem {
  readonly contentId: string | null;
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly body: string;
}

const LARGEST = 100;
/** How many of a batch run at once: batches of 50 trip the limit on requests at once, those of 25 do not. */
const SHARE = 3;

/** `run` never throws: a failing item is an answer of its own. */
export async function runBatch(
  contentType: string,
  body: string,
  run: (item: BatchItem) => Promise<GmailReply>,
): Promise<{ readonly contentType: string; readonly body: string }> {
  const items = parse(contentType, body);
  if (items.length > LARGEST)
    throw new GoogleFault(
      400,
      'badRequest',
      `The batch request has ${items.length} calls; the maximum is ${LARGEST}.`,
    );
  const parts: string[] = [];
  const queue = items.entries();
  await Promise.all(
    Array.from({ length: Math.ceil(items.length / SHARE) }, async () => {
      for (const [index, item] of queue) parts[index] = write(item, await run(item));
    }),
  );
  const boundary = 'batch_simulator_boundary';
  return {
    contentType: `multipart/mixed; boundary=${boundary}`,
    body: `${parts.map((part) => `--${boundary}\r\n${part}`).join('\r\n')}\r\n--${boundary}--\r\n`,
  };
}

function parse(contentType: string, body: string): BatchItem[] {
  const boundary = /^multipart\/mixed;.*boundary="?([^";]+)"?/i.exec(contentType)?.[1];
  if (boundary === undefined) throw invalid('Failed to parse batch request, error: no boundary');
  const parts = body.split(`--${boundary}`).slice(1, -1);
  if (parts.length === 0) throw invalid('Failed to parse batch request, error: 0 items');
  return parts.map(parsePart);
}

function parsePart(part: string): BatchItem {
  const [head = '', request = '', ...rest] = part.replace(/^\r?\n/, '').split(/\r?\n\r?\n/);
  const [first = '', ...headers] = request.split(/\r?\n/);
  const line = /^(\w+) (?:https?:\/\/[^/\s]+)?(\/\S*)/.exec(first.trim());
  if (!line?.[1] || !line[2]) throw invalid('Failed to parse batch request, error: no request line');
  // A request without headers is followed by its body after the one empty line.
  const body = headers.length > 0 || rest.length > 0 ? rest.join('\r\n\r\n') : '';
  return {
    contentId: /^content-id:\s*<?([^>\r\n]+)>?\s*$/im.exec(head)?.[1] ?? null,
    method: line[1].toUpperCase(),
    target: line[2],
    body: body.trim(),
  };
}

function write({ contentId }: BatchItem, { status, headers, body }: GmailReply): string {
  const text = body === undefined ? '' : JSON.stringify(body);
  return [
    'Content-Type: application/http',
    ...(contentId === null ? [] : [`Content-ID: <response-${contentId}>`]),
    '',
    `HTTP/1.1 ${status} ${STATUS_NAMES[status] ?? 'Error'}`,
    'Content-Type: application/json; charset=UTF-8',
    ...Object.entries(headers ?? {}).map(([name, value]) => `${name}: ${value}`),
    `Content-Length: ${Buffer.byteLength(text)}`,
    '',
    text,
  ].join('\r\n');
}

const STATUS_NAMES: Readonly<Record<number, string>> = {
  200: 'OK',
  204: 'No Content',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  429: 'Too Many Requests',
};
