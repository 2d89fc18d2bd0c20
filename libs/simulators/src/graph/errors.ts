/** How Graph says no. */

/** An error answer of Graph; thrown anywhere below a route. */
export class GraphFault extends Error {
  override readonly name = 'GraphFault';
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

export const notFound = () =>
  new GraphFault(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');

export const badRequest = (message: string) => new GraphFault(400, 'BadRequest', message);

/** The error envelope. */
export function envelope(code: string, message: string, now: number, requestId: string) {
  const date = new Date(now).toISOString().slice(0, 19);
  return {
    error: {
      code,
      message,
      innerError: { date, 'request-id': requestId, 'client-request-id': requestId },
    },
  };
}
