/** What was asked of the simulator, and whether the asking kept to the rules a real provider expects. */

export interface LoggedRequest {
  /** Virtual time, milliseconds since 1970. */
  readonly at: number;
  /** Null when no mailbox could be told. */
  readonly mailbox: string | null;
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly query: string;
  /** The `Prefer` header; empty when none. */
  readonly prefer: string;
  /** Requests of this mailbox being answered, this one included. */
  readonly inFlight: number;
  readonly inBatch: boolean;
  /** Set when it was answered. */
  status: number;
}

export interface RequestLog {
  add(request: Omit<LoggedRequest, 'status'>): LoggedRequest;
  /** The newest ones, oldest first. */
  entries(): readonly LoggedRequest[];
  violations(): readonly string[];
  clear(): void;
}

const KEPT = 20_000;
const MAIL_ROUTES = /\/(messages|mailFolders|subscriptions|translateExchangeIds)\b/;

export function createRequestLog(concurrency: () => number): RequestLog {
  let entries: LoggedRequest[] = [];
  let violations: string[] = [];

  const judge = (request: LoggedRequest) => {
    const what = `${request.method} ${request.path}`;
    if (/\/delta$/.test(request.path) && new URLSearchParams(request.query).has('$top'))
      violations.push(`$top on a delta request: ${what}`);
    if (MAIL_ROUTES.test(request.path) && !/\bIdType\s*=\s*"?ImmutableId"?/i.test(request.prefer))
      violations.push(`no Prefer: IdType="ImmutableId" on ${what}`);
    if (request.inFlight > concurrency())
      violations.push(`${request.inFlight} requests in flight on one mailbox: ${what}`);
  };
  return {
    add: (request) => {
      const logged = { ...request, status: 0 };
      // Trimmed in halves: the log of a long run stays small without work at every request.
      if (entries.length >= KEPT) entries = entries.slice(KEPT / 2);
      entries.push(logged);
      judge(logged);
      return logged;
    },
    entries: () => entries,
    violations: () => violations,
    clear: () => {
      entries = [];
      violations = [];
    },
  };
}
