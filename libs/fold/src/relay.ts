/** Publishes an outbox: in order, each event once, whatever dies in between. */
import type { Bus, Fence, Outgoing, Stored } from '@mailstream/bus';
import { partitionToken, subjects } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { backoffMs, pause, TRACEPARENT } from '@mailstream/runtime';
import {
  deleteOutboxThrough,
  deleteOutboxThroughEvent,
  eventsOf,
  MAX_BATCH,
  MAX_BATCH_BYTES,
  type OutboxKey,
  type OutboxRow,
  readOutbox,
} from './outbox-rows.ts';
import { waitFor } from './tasks.ts';

/**
 * The last message of each batch, on a subject of its own in the target stream, and the fence of the next batch: it says what was
 * published, in the same atomic step.
 */
export interface Marker {
  /** Id of the last event published; all rows up to the one it ends were. */
  readonly last: string;
  /** The log that `position` counts in. */
  readonly epoch: string;
  /** What the fold had to say up to here is published, all of it. */
  readonly position: string;
}

export interface RelayDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly outbox: OutboxKey;
  readonly epoch: string;
  /** Called after a batch is in the stream and before its rows are deleted. */
  readonly onPublished?: (events: number) => Promise<void> | void;
  /** Set where others write rows, too: the table is looked at so often, milliseconds. Absent: all new rows are handed over by `wake`. */
  readonly recheckMs?: number;
}

export interface Relay {
  /** These new rows are committed. */
  wake(rows: readonly OutboxRow[]): void;
  /** Resolves when not much is left to publish of what was handed over, or when `signal` aborts. */
  room(signal: AbortSignal): Promise<void>;
  /**
   * Publishes until `signal` aborts. Throws when anything is in doubt (fenced by another relay, no answer, a database fault): then a new relay reads
   * the marker and knows how things stand.
   */
  run(signal: AbortSignal): Promise<void>;
}

/** Events; about two transactions' worth. */
const MAX_BACKLOG = 4_000;

/** Another relay publishes the same outbox. */
export class RelayFenced extends Error {
  override readonly name = 'RelayFenced';
}

export function createRelay({ bus, db, outbox, epoch, onPublished, recheckMs }: RelayDeps): Relay {
  const subject = markerSubject(outbox);
  let handed: readonly OutboxRow[] = [];
  let woken = Promise.withResolvers<void>();
  let freed = Promise.withResolvers<void>();

  /** The marker is read before the rows: who publishes in between moves it, and then our next batch is refused. */
  const settle = async (): Promise<Standing> => {
    const { marker, sequence } = await readMarker(bus, outbox);
    if (marker) await deleteOutboxThroughEvent(db, outbox, marker.last);
    return { sequence, position: marker?.epoch === epoch ? BigInt(marker.position) : 0n, published: 0n };
  };

  const publish = async (batch: readonly OutboxRow[], stands: Standing, signal: AbortSignal) => {
    const last = batch.at(-1);
    if (!last) return stands;
    // The position of a transaction counts as published with its last row only.
    const position = batch.findLast((row) => row.isLast)?.position ?? stands.position;
    const marker: Marker = { last: last.lastEvent, epoch, position: String(position) };
    const messages = [...batch.flatMap(messagesOf), { subject, data: marker }];
    const sequence = await store(bus, messages, { subject, sequence: stands.sequence }, signal);
    await onPublished?.(messages.length - 1);
    await deleteOutboxThrough(db, outbox, last.id);
    return { sequence, position, published: last.id };
  };

  return {
    wake(rows) {
      handed = [...handed, ...rows];
      woken.resolve();
    },

    async room(signal) {
      while (handed.reduce((sum, row) => sum + row.events, 0) > MAX_BACKLOG && !signal.aborted) {
        freed = Promise.withResolvers();
        await waitFor(freed.promise, null, signal);
      }
    },

    async run(signal) {
      let stands = await settle();
      let fromTable = true;
      while (!signal.aborted) {
        woken = Promise.withResolvers();
        const rows = fromTable ? await readOutbox(db, outbox) : handed;
        stands = await publish(nextBatch(rows), stands, signal);
        handed = handed.filter((row) => row.id > stands.published);
        freed.resolve();
        if (rows.length > 0) continue;
        if (fromTable && recheckMs === undefined) fromTable = false;
        else await waitFor(woken.promise, recheckMs ?? null, signal);
      }
    },
  };
}

/** The marker last written, its place in the target stream, and the id of the last row published. */
interface Standing {
  readonly sequence: bigint;
  readonly position: bigint;
  readonly published: bigint;
}

/** The last marker of a relay; the sequence is 0n when there is none. */
export async function readMarker(
  bus: Bus,
  outbox: OutboxKey,
): Promise<{ marker: Marker | null; sequence: bigint }> {
  const stored = await bus.last(outbox.target === 'mail' ? 'MAIL' : 'CHANGES', markerSubject(outbox));
  return stored ? { marker: parseMarker(stored), sequence: stored.sequence } : { marker: null, sequence: 0n };
}

function markerSubject({ relay, partition, target }: OutboxKey): string {
  return subjects.relay(target, relay, partitionToken(partition));
}

function parseMarker(stored: Stored): Marker {
  const marker: Marker = JSON.parse(Buffer.from(stored.data).toString());
  return marker;
}

/** The rows from the start that fit one batch together. */
function nextBatch(rows: readonly OutboxRow[]): readonly OutboxRow[] {
  let events = 0;
  let bytes = 0;
  const end = rows.findIndex((row) => {
    events += row.events;
    bytes += row.body.length;
    return events > MAX_BATCH || bytes > MAX_BATCH_BYTES;
  });
  return end === -1 ? rows : rows.slice(0, Math.max(1, end));
}

function messagesOf(row: OutboxRow): Outgoing[] {
  return Array.from(eventsOf(row), ({ id, type, subject, traceparent, body }) => ({
    subject,
    data: Buffer.from(body),
    headers: {
      'ce-type': type,
      'ce-id': id,
      ...(traceparent !== undefined && { [TRACEPARENT]: traceparent }),
    },
  }));
}

/** Waits while the server has too many batches in flight. */
async function store(bus: Bus, messages: Outgoing[], fence: Fence, signal: AbortSignal): Promise<bigint> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await bus.publishBatch(messages, fence);
    if (result.outcome === 'committed') return result.sequence;
    if (result.outcome === 'fenced') throw new RelayFenced(`another relay has written ${fence.subject}`);
    await pause(backoffMs({ baseMs: 20, maxMs: 1_000 }, attempt, Math.random()), signal);
    signal.throwIfAborted();
  }
}
