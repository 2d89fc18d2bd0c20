/** Reads the change stream for all webhooks: one process at a time, one transaction for what arrived and how far that is. */
import { hostname } from 'node:os';
import { ChangesLostError, type Position, type TailBus, tailStored } from '@mailstream/client/stream';
import type { Db, Tx } from '@mailstream/db';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';
import { enqueue } from './queue.ts';

export interface ReaderDeps {
  readonly bus: TailBus;
  readonly db: Db;
  readonly logger: Logger;
  /** There is something to deliver. */
  readonly nudge: () => void;
}

/** Another process takes over when the row was not renewed for so long, milliseconds. */
const HOLD_MS = 10_000;
/** It is renewed at least so often, milliseconds. */
const IDLE_MS = 2_000;
const LOOK_MS = 1_000;

interface ReaderRow {
  readonly stream: string;
  readonly sequence: bigint;
}

/** What was not read is not missed: from where those are that were told least. Nothing comes back when nobody is to be told anything. */
const TAKE = `
UPDATE control.webhook_reader SET holder = $1, held_until = $2, sequence = greatest(sequence, least_position)
  FROM (SELECT min(position) AS least_position FROM control.webhook_endpoint WHERE state = 'active' AND NOT behind) e
 WHERE least_position IS NOT NULL AND (holder = $1 OR held_until IS NULL OR held_until < $3)
RETURNING stream, sequence`;

const MOVE = `
UPDATE control.webhook_reader SET sequence = $3, held_until = $4 WHERE holder = $1 AND sequence = $2 RETURNING one`;

/** A change is for it only once: of two processes that believe to be the reader one gets on. */
export function createWebhookReader({ bus, db, logger, nudge }: ReaderDeps): Part {
  const holder = `${hostname()} ${process.pid} ${crypto.randomUUID()}`;

  async function take(): Promise<Position | null> {
    const now = Date.now();
    await knowStream(bus, db);
    const rows = await db.query<ReaderRow>(TAKE, [holder, new Date(now + HOLD_MS), new Date(now)]);
    const [row] = rows;
    return row ? { ...row, storedAt: null } : null;
  }

  async function read(from: Position, signal: AbortSignal): Promise<void> {
    let at = from.sequence;
    for await (const { stored, position } of tailStored(bus, ['changes.>'], from, signal, IDLE_MS)) {
      const put = await db.tx(async (tx) => {
        const until = new Date(Date.now() + HOLD_MS);
        const moved = await tx.query(MOVE, [holder, at, position.sequence, until]);
        return moved.length === 0 ? null : await enqueue(tx, stored, { live: true });
      });
      if (put === null) return;
      at = position.sequence;
      if (put > 0) nudge();
      else if (stored.length === 0 && !(await hasListeners(db))) return;
    }
  }

  return {
    name: 'webhook reader',
    async run(signal) {
      while (!signal.aborted) {
        try {
          const from = await take();
          if (from) await read(from, signal);
        } catch (error) {
          if (error instanceof ChangesLostError) await restart(bus, db, logger, error);
          else logger.warn({ err: error }, `changes could not be read for webhooks: ${messageOf(error)}`);
        }
        await pause(LOOK_MS, signal);
      }
      await db.query('UPDATE control.webhook_reader SET held_until = NULL WHERE holder = $1', [holder]);
    },
  };
}

async function hasListeners(db: Db): Promise<boolean> {
  const rows = await db.query(
    "SELECT id FROM control.webhook_endpoint WHERE state = 'active' AND NOT behind LIMIT 1",
  );
  return rows.length > 0;
}

/** Before the first endpoint there is nothing to be read; the row says which stream positions are of. */
export async function knowStream(bus: TailBus, db: Db): Promise<void> {
  const known = await db.query('SELECT one FROM control.webhook_reader');
  if (known.length > 0) return;
  const { created, last } = await bus.state('CHANGES');
  await db.query(
    'INSERT INTO control.webhook_reader (stream, sequence) VALUES ($1, $2) ON CONFLICT DO NOTHING',
    [created, last],
  );
}

/**
 * The stream was made anew, restored or cut. What is in it now is told, what waited cannot be any more, and each endpoint is marked: its
 * owner is to take a snapshot.
 */
async function restart(bus: TailBus, db: Db, logger: Logger, why: ChangesLostError): Promise<void> {
  logger.error({ err: why }, 'changes were lost before webhooks were told of them');
  const { created: stream, first, last } = await bus.state('CHANGES');
  await db.tx(async (tx) => {
    const [row] = await tx.query<ReaderRow>('SELECT stream, sequence FROM control.webhook_reader FOR UPDATE');
    if (!row) return;
    const isCut = row.stream === stream && row.sequence <= last;
    const sequence = first > 0n ? first - 1n : 0n;
    if (!isCut) await forgetPositions(tx);
    await tx.query('UPDATE control.webhook_reader SET stream = $1, sequence = $2', [stream, sequence]);
    await tx.query("UPDATE control.webhook_endpoint SET lost_at = now() WHERE state = 'active'");
  });
}

async function forgetPositions(tx: Tx): Promise<void> {
  await tx.query('UPDATE control.webhook_endpoint SET position = 0, lost_at = now()');
  await tx.query(
    `UPDATE control.webhook_delivery SET state = 'dead', last_at = now(), error = $1 WHERE state = 'waiting'`,
    ['the change stream was made anew before this could be delivered'],
  );
  await tx.query('DELETE FROM control.webhook_lane');
}
