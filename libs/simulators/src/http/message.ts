/** A request and its answer, free of sockets: what the façades work with. */

export interface HttpRequest {
  readonly method: string;
  readonly url: URL;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** How an answer is put on the wire, when not in one piece. */
export type Wire = 'plain' | 'gzip' | 'drip' | 'reset';

export interface HttpReply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly wire?: Wire;
  /** Called once, just before the last byte is written or the connection breaks. */
  readonly release?: () => void;
}

export function json(
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): HttpReply {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
