/** The connection as the parts of the bus see it: whether it is up, and what becomes of a question when it breaks. */
import { createInbox, errors, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import { BusError, fromServer, type ServerError } from './errors.ts';

/** Milliseconds the server may take to answer. */
const ANSWER_MS = 10_000;

export interface AskOptions {
  readonly headers?: MsgHdrs;
  readonly timeoutMs?: number;
}

type LinkEvent = 'up' | 'down' | 'closed';

export interface Link {
  readonly nc: NatsConnection;
  /** A new subject that only we may listen on. */
  inbox(): string;
  up(): boolean;
  /** Largest message the server takes, headers included, bytes. */
  maxPayload(): number;
  /** Resolves when connected; throws `bus.disconnected` when that takes longer than an answer may, the bus is closed, or `signal` aborts. */
  ready(signal?: AbortSignal): Promise<void>;
  /** Calls back whenever the connection breaks (`down`), is there again (`up`), or ended for good (`closed`); returns what ends that. */
  on(event: LinkEvent, listener: () => void): () => void;
  /** Sends when connected, otherwise does nothing: for what the server makes good by itself. */
  tell(subject: string, data: string): void;
  /**
   * Sends at once and waits for the answer. Throws `bus.no_responder` when nobody listened, `bus.timeout` when the connection broke or
   * no answer came. Be `ready` before: what the client is given while it is disconnected may go out much later, or never.
   */
  ask(subject: string, data: Uint8Array | string, options?: AskOptions): Promise<Msg>;
  /** Calls the server's JetStream API; throws what it refuses as `BusError`. */
  api<T>(call: string, body?: object): Promise<T>;
}

/** `inboxPrefix`: where the server lets this user listen; absent: anywhere. */
export function createLink(nc: NatsConnection, inboxPrefix?: string): Link {
  let up = true;
  let maxPayload = nc.info?.max_payload ?? 0;
  let closed = false;
  const listeners = { up: new Set<() => void>(), down: new Set<() => void>(), closed: new Set<() => void>() };
  void watch();

  async function watch(): Promise<void> {
    for await (const status of nc.status()) {
      if (status.type === 'disconnect') {
        up = false;
        fire('down');
      } else if (status.type === 'reconnect') {
        up = true;
        maxPayload = nc.info?.max_payload ?? maxPayload;
        fire('up');
      }
    }
    up = false;
    closed = true;
    fire('down');
    fire('closed');
  }

  function fire(event: LinkEvent): void {
    for (const listener of [...listeners[event]]) listener();
  }

  const link: Link = {
    nc,
    inbox: () => createInbox(inboxPrefix),
    up: () => up,
    maxPayload: () => maxPayload,
    on(event, listener) {
      listeners[event].add(listener);
      return () => void listeners[event].delete(listener);
    },
    async ready(signal) {
      if (up && !nc.isDraining() && !signal?.aborted) return;
      const arrived = Promise.withResolvers<void>();
      const giveUp = () =>
        arrived.reject(new BusError('bus.disconnected', 'not connected to NATS; nothing was sent'));
      const forget = [link.on('up', arrived.resolve), link.on('closed', giveUp)];
      const timer = setTimeout(giveUp, ANSWER_MS);
      signal?.addEventListener('abort', giveUp);
      if (closed || nc.isDraining() || signal?.aborted) giveUp();
      await arrived.promise.finally(() => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', giveUp);
        for (const off of forget) off();
      });
    },
    tell(subject, data) {
      if (up && !nc.isClosed()) nc.publish(subject, data);
    },
    ask(subject, data, { headers, timeoutMs = ANSWER_MS } = {}) {
      const broke = Promise.withResolvers<never>();
      const forget = link.on('down', () =>
        broke.reject(
          new BusError('bus.timeout', `${subject}: the connection to NATS broke before the answer`),
        ),
      );
      const answer = nc
        .request(subject, data, { timeout: timeoutMs, ...(headers && { headers }) })
        .catch((cause: unknown) => Promise.reject(translate(subject, cause)));
      return Promise.race([answer, broke.promise]).finally(forget);
    },
    async api<T>(call: string, body?: object): Promise<T> {
      await link.ready();
      const reply = await link.ask(`$JS.API.${call}`, body ? JSON.stringify(body) : '');
      const answer = reply.json<T & { readonly error?: ServerError }>();
      if (answer.error) throw fromServer(call, answer.error);
      return answer;
    },
  };
  return link;
}

/** What the client throws, in our words. */
function translate(subject: string, cause: unknown): BusError {
  const root = cause instanceof errors.RequestError && cause.cause !== undefined ? cause.cause : cause;
  if (root instanceof errors.NoRespondersError)
    return new BusError('bus.no_responder', `${subject}: nobody listens`, { cause });
  if (root instanceof errors.PermissionViolationError || root instanceof errors.InvalidSubjectError)
    return new BusError('bus.refused', `${subject}: ${root.message}`, { cause });
  if (root instanceof errors.ClosedConnectionError || root instanceof errors.DrainingConnectionError)
    return new BusError('bus.disconnected', `${subject}: the bus is closed; nothing was sent`, { cause });
  const why = root instanceof Error ? root.message : String(root);
  return new BusError('bus.timeout', `${subject}: no answer (${why})`, { cause });
}
