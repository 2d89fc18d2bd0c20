/** The bus as the rest of Mailstream sees it: atomic batches, ordered reading, queues, leases, schedules. No NATS types leak out. */
import type { AccountRef, StreamName } from '@mailstream/contracts';

/** A message to be stored. `data` is sent as JSON, a `Uint8Array` as it is (JSON that was made before); `headers` are plain strings. */
export interface Outgoing {
  readonly subject: string;
  readonly data: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A stored message as readers get it. Sequences are BigInt: a stream outlives 2^53 in principle, and JSON must not round. */
export interface Stored {
  readonly stream: string;
  readonly subject: string;
  readonly sequence: bigint;
  readonly time: Date;
  readonly data: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** The condition a batch is published under: the last message on `subject` has this sequence, 0n for none. */
export interface Fence {
  readonly subject: string;
  readonly sequence: bigint;
}

/**
 * What became of an atomic batch.
 * `committed`: all of it is stored, `sequence` is that of its last message.
 * `fenced`: somebody else wrote to the fence's subject first; nothing is stored.
 * `busy`: the server has too many batches in flight; nothing is stored, try again after a pause.
 * Anything else throws: `BusError` with the server's own code and text when it refused, `BusUnsureError` when no answer
 * came and the batch may or may not be stored; then read the fence's subject to know.
 */
export type BatchOutcome =
  | { readonly outcome: 'committed'; readonly sequence: bigint }
  | { readonly outcome: 'fenced' }
  | { readonly outcome: 'busy' };

/** The identity of a stream's content: a recreated stream has another `created`. */
export interface StreamState {
  readonly created: string;
  readonly first: bigint;
  readonly last: bigint;
  /** How many messages it holds. */
  readonly messages: number;
  /** On disk, on each of its servers. */
  readonly bytes: number;
}

/** What the workers of a queue leave behind them. */
export interface QueueState {
  /** Items that nobody has taken. */
  readonly waiting: number;
  /** Items that are being handled. */
  readonly held: number;
  /** Whether somebody asks for more now: who has all hands full does not. */
  readonly isAsked: boolean;
  /** When an item was taken last; null: never, or not since the server started. */
  readonly takenAt: Date | null;
}

/**
 * A work item. Settle it once: `ack` when done, `retry` to have it again after `delayMs`. `extend` renews the hold. `ack` resolves when the
 * server has confirmed it, so that the item's subject is free; when it throws, the item may come again. Items come at least once: a
 * server that was killed may give one out again while it is still being handled.
 */
export interface WorkItem extends Stored {
  readonly deliveries: number;
  ack(): Promise<void>;
  retry(delayMs?: number): void;
  extend(): void;
}

export interface QueueOptions {
  readonly stream: StreamName;
  readonly durable: string;
  readonly filter: string | readonly string[];
  /** How many items are handled at once by this process. */
  readonly concurrency: number;
  /** Milliseconds until an item that was neither settled nor extended is given to another. The bus extends it while the handler runs. */
  readonly holdMs: number;
}

export interface Lease {
  readonly subject: string;
  readonly data: Uint8Array;
  /** Takes it off for good when its holder returns: nobody can ever hold it. */
  drop(): void;
  /** Aborts when the lease was lost or the holder is to stop; what it protects must then stop. */
  readonly signal: AbortSignal;
}

/** The change stream as the subscribers of one tenant may see it. */
export interface TenantChanges extends Pick<Bus, 'state' | 'last' | 'read' | 'count'> {
  /** When the message with this sequence was stored; null if the stream has none. */
  at(stream: StreamName, sequence: bigint): Promise<Pick<Stored, 'time'> | null>;
}

export interface Bus {
  /** Creates or updates the streams and checks that the server kept every setting; throws naming the setting it ignored. Idempotent. */
  ensureTopology(options?: TopologyOptions): Promise<void>;

  /** Waits until whoever does that has made the streams; throws when they are not there after a minute. */
  waitForTopology(): Promise<void>;

  /** Stores one message; resolves when it is on disk (`sync_interval: always`). Throws `BusError` or `BusUnsureError`. */
  publish(message: Outgoing): Promise<bigint>;

  /**
   * Stores all or none, contiguously, in order. At most 1,000 messages. The fence, if there is one, is checked against the stream of the first
   * subject. Costs several single messages, however many it holds.
   */
  publishBatch(messages: readonly Outgoing[], fence: Fence | null): Promise<BatchOutcome>;

  /** The last message on a subject (wildcards allowed), by direct get; null if there is none. In a cluster it may be a moment behind. */
  last(stream: StreamName, subject: string): Promise<Stored | null>;

  /** The message with this sequence; null if the stream has none. */
  at(stream: StreamName, sequence: bigint): Promise<Stored | null>;

  state(stream: StreamName): Promise<StreamState>;

  /** How a work queue is; empty when nobody has worked on it yet. */
  queue(stream: StreamName, durable: string): Promise<QueueState>;

  /** How many messages there are from `from` (a sequence, or the time it was stored) on. */
  count(stream: StreamName, filter: string | readonly string[], from: bigint | Date): Promise<number>;

  /**
   * Reads a stream in order from `from` (a sequence, or the time it was stored) for as long as `signal` allows; keeps no state on the
   * server. Yields what is there without waiting to fill anything up: each yield is the messages that had arrived. Ends by throwing
   * `BusError("bus.reader_lost")` when the connection broke, two heartbeats were missed (4 to 6 s), or the server deleted what it reads:
   * the caller checks the epoch and opens again from its position.
   */
  read(
    stream: StreamName,
    filter: string | readonly string[],
    from: bigint | Date,
    signal: AbortSignal,
  ): AsyncIterable<readonly Stored[]>;

  /**
   * Hands work to `handler` until `signal` aborts, then waits for the handlers under way. A handler that throws or leaves its item unsettled
   * has it retried after a pause; when `signal` aborted, at once and by whoever is there.
   */
  work(
    options: QueueOptions,
    handler: (item: WorkItem, signal: AbortSignal) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;

  /** Stores a message on a one-per-subject stream unless one is there, waiting or held un-acked: a lease, or a job of a scope. */
  offer(stream: 'FETCH' | 'WATCH', subject: string, data: unknown): Promise<void>;

  /** Takes an offer off for good; who holds it as a lease finds its signal aborted within the hold time. */
  withdraw(stream: 'FETCH' | 'WATCH', subject: string): Promise<void>;

  /**
   * Holds up to `capacity` leases matching `filter` at a time and runs `hold` for each until it returns, the lease is lost, or `signal`
   * aborts; then gives the lease back: at once when `signal` aborted, otherwise after a second. If this process dies another gets it after
   * `holdMs`. In one process `hold` never runs twice at a time for a subject.
   */
  holdLeases(
    options: {
      readonly durable: string;
      readonly filter: string;
      readonly capacity: number;
      readonly holdMs: number;
    },
    hold: (lease: Lease) => Promise<void>,
    signal: AbortSignal,
  ): Promise<void>;

  /** Sets or replaces a schedule: its hint arrives once at `at`, or every `everyMs` (at least 1,000). */
  schedule(
    account: AccountRef,
    kind: string,
    when: { readonly at: Date } | { readonly everyMs: number },
    target: string,
  ): Promise<void>;

  cancelSchedule(account: AccountRef, kind: string): Promise<void>;

  /** Removes all messages on a subject (wildcards allowed). */
  purge(stream: StreamName, subject: string): Promise<number>;

  /** Removes what was acknowledged and is there nevertheless, as after the server's disk was full; returns how many. It should find nothing. */
  removeAcknowledged(stream: 'FETCH'): Promise<number>;

  /** Removes what was parked; false when it is not there. */
  remove(stream: 'DEAD', sequence: bigint): Promise<boolean>;

  /**
   * Parks a message that could not be used on `DEAD`, as a `DeadLetter`. `reason` is one subject token for grouping (`bad-payload`),
   * `detail` a sentence for people. The same message parked again for the same reason within two minutes is one letter.
   */
  park(
    message: Pick<Stored, 'stream' | 'subject' | 'sequence' | 'data'>,
    reason: string,
    detail: string,
  ): Promise<void>;

  /**
   * `CHANGES` for who may see those of one tenant only: readers of it are lent by `lendReaders`. Its methods throw `BusError("bus.no_responder")` while nobody
   * lends any, and refuse filters of other tenants.
   */
  changesOf(tenant: string): TenantChanges;

  /** Lends readers of `CHANGES` to the tenants' subscribers until `signal` aborts. Several processes may. */
  lendReaders(signal: AbortSignal): Promise<void>;

  /** Request and reply, not stored. Throws `BusError("bus.no_responder")` or `("bus.timeout")`. */
  request(subject: string, data: unknown, timeoutMs: number): Promise<Uint8Array>;

  /** Answers requests on `subject` (wildcards allowed), shared among all that answer under the same `group`. */
  respond(
    subject: string,
    group: string,
    answer: (subject: string, data: Uint8Array) => Promise<unknown>,
    signal: AbortSignal,
  ): Promise<void>;

  /** Whether the connection is up now. */
  connected(): boolean;

  /** Drains and closes. */
  close(): Promise<void>;
}

export interface TopologyOptions {
  /** 1 on a single node, 3 in a cluster. */
  readonly replicas?: number;
  /** Milliseconds facts stay on MAIL; absent: for good. */
  readonly mailMaxAgeMs?: number;
  /** Milliseconds changes stay on CHANGES. */
  readonly changesMaxAgeMs?: number;
}
