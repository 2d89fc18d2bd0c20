/** What was asked of the simulator, and whether the asking kept to the rules a real provider expects. */

export type Service = 'graph' | 'entra' | 'gmail' | 'google' | 'pubsub';

export interface LoggedRequest {
  /** Virtual time, milliseconds since 1970. */
  readonly at: number;
  readonly service: Service;
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
  /** Gmail's quota units it was charged. */
  units: number;
  /** Set when it was answered. */
  status: number;
}

export interface RequestLog {
  add(request: Omit<LoggedRequest, 'status' | 'units'>): LoggedRequest;
  /** The newest ones, oldest first. */
  entries(): readonly LoggedRequest[];
  /** Notes a rule that only the façade could see being broken. */
  broken(rule: string): void;
  violations(): readonly string[];
  clear(): void;
}

const KEPT = 20_000;

/** The rules that a request breaks, in words. */
export type Judge = (request: LoggedRequest) => readonly string[];

export function createRequestLog(judges: Readonly<Partial<Record<Service, Judge>>>): RequestLog {
  let entries: LoggedRequest[] = [];
  let violations: string[] = [];

  return {
    add: (request) => {
      const logged = { ...request, units: 0, status: 0 };
      // Trimmed in halves: the log of a long run stays small without work at every request.
      if (entries.length >= KEPT) entries = entries.slice(KEPT / 2);
      entries.push(logged);
      violations.push(...(judges[request.service]?.(logged) ?? []));
      return logged;
    },
    entries: () => entries,
    broken: (rule) => {
      violations.push(rule);
    },
    violations: () => violations,
    clear: () => {
      entries = [];
      violations = [];
    },
  };
}
