/** Publishes an outbox: in order, each event once, whatever dies in between (DESIGN 4.3). */
import type { Bus, Fence, Outgoing, Stored } from '@mailstream/bus';
import { partitionToken, subjects } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { backoffMs, pause } from '@mailstream/runtime';
import {
  deleteOutboxThrough,
  deleteOutboxThroughEvent,
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
  /** Id of the last event published; all rows up to it were. */
  readonly last: string;
  /** The log that `position` counts in. */
  readonly epoch: string;
  /** The fold's emissions up to here are published, all of them. */
  readonly position: string;
}

export interface RelayDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly outbox: OutboxKey;
  readonly target: 'mail' | 'changes';
  readonly epoch: string;
  /** Called after a batch is in the stream and before its rows are deleted. */
  readonly onPublished: (events: number) => Promise<void> | void;
  /** Looks for rows unasked after so long, milliseconds; absent: only when woken. */
  readonly recheckMs?: number;
}

export interface Relay {
  /** So many new rows are committed. */
  wake(rows: number): void;
  /** Resolves when not much is left to publish of what was woken for, or when `signal` aborts. */
  room(signal: AbortSignal): Promise<void>;
  /**
   * Publishes until `signal` aborts. Throws when anything is in doubt (fenced by another relay, no answer, a database fault): run it again after
   * a pause, and the marker says how things stand.
   */
  run(signal: AbortSignal): Promise<void>;
}

const MAX_BATCH = 900;
const MAX_BATCH_BYTES = 4 * 1_048_576;

/** Rows; about two transactions' worth. */
const MAX_BACKLOG = 4_000;

/** Another relay publishes the same outbox. */
export class RelayFenced extends Error {
  override readonly name = 'RelayFenced';
}

export function createRelay(deps: RelayDeps): Relay {
  const { bus, db, outbox, target, epoch } = deps;
  const subject = markerSubject(outbox, target);
  let woken = Promise.withResolvers<void>();
  let freed = Promise.withResolvers<void>();
  let backlog = 0;

  /** Stores one batch and its marker; returns the marker as it stands then. */
  const publish = async (rows: readonly OutboxRow[], stands: Standing, signal: AbortSignal) => {
    const { batch, complete } = nextBatch(rows);
    const last = batch.at(-1);
    if (!last) return stands;
    const position = complete ?? stands.position;
    const marker: Marker = { last: last.event, epoch, position: String(position) };
    const messages = [...batch.map(asMessage), { subject, data: marker }];
    const sequence = await store(bus, messages, { subject, sequence: stands.sequence }, signal);
    await deps.onPublished(batch.length);
    await deleteOutboxThrough(db, outbox, target, last.id);
    // Rows from before this relay was made are not counted in.
    backlog = Math.max(0, backlog - batch.length);
    freed.resolve();
    return { sequence, position };
  };

  return {
    wake(rows) {
      backlog += rows;
      woken.resolve();
    },
    async room(signal) {
      while (backlog > MAX_BACKLOG && !signal.aborted) {
        freed = Promise.withResolvers();
        await waitFor(freed.promise, null, signal);
      }
    },
    async run(signal) {
      // The marker is read before the rows: who publishes in between moves it, and then our next batch is refused.
      const { marker, sequence } = await readMarker(bus, outbox, target);
      if (marker) await deleteOutboxThroughEvent(db, outbox, target, marker.last);
      let stands: Standing = { sequence, position: marker?.epoch === epoch ? BigInt(marker.position) : 0n };
      while (!signal.aborted) {
        woken = Promise.withResolvers();
        const rows = await readOutbox(db, outbox, target, MAX_BATCH + 1);
        if (rows.length > 0) stands = await publish(rows, stands, signal);
        else await waitFor(woken.promise, deps.recheckMs ?? null, signal);
      }
    },
  };
}

/** The marker last written: its sequence in the target stream, and the position it bears. */
interface Standing {
  readonly sequence: bigint;
  readonly position: bigint;
}

/** The last marker of a relay; the sequence is 0n when there is none. */
export async function readMarker(
  bus: Bus,
  outbox: OutboxKey,
  target: 'mail' | 'changes',
): Promise<{ marker: Marker | null; sequence: bigint }> {
  const stream = target === 'mail' ? 'MAIL' : 'CHANGES';
  const stored = await bus.last(stream, markerSubject(outbox, target));
  return stored ? { marker: parseMarker(stored), sequence: stored.sequence } : { marker: null, sequence: 0n };
}

function markerSubject({ relay, partition }: OutboxKey, target: 'mail' | 'changes'): string {
  return subjects.relay(target, relay, partitionToken(partition));
}

function parseMarker(stored: Stored): Marker {
  const marker: Marker = JSON.parse(Buffer.from(stored.data).toString());
  return marker;
}

function asMessage(row: OutboxRow): Outgoing {
  return {
    subject: row.subject,
    data: Buffer.from(row.body),
    headers: { 'ce-type': row.type, 'ce-id': row.event },
  };
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

/**
 * The rows that fit one batch, and the position up to which all rows are published with it: that of a transaction counts with its last row only
 * (null: the batch ends no transaction).
 */
function nextBatch(rows: readonly OutboxRow[]): { batch: readonly OutboxRow[]; complete: bigint | null } {
  let count = 0;
  let bytes = 0;
  for (const row of rows) {
    bytes += row.body.length;
    if (count === MAX_BATCH || (count > 0 && bytes > MAX_BATCH_BYTES)) break;
    count += 1;
  }
  const batch = rows.slice(0, count);
  const next = rows[count];
  return { batch, complete: batch.findLast((row) => row.position !== next?.position)?.position ?? null };
}
