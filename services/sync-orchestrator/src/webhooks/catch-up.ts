/** Tells endpoints what came before: after a pause, and when a replay is asked for. Part by part, until they are told what comes. */

import type { Stored } from '@mailstream/bus';
import { ChangesLostError, type TailBus, tailStored } from '@mailstream/client/stream';
import { subjects } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';
import { enqueue } from './queue.ts';

export interface CatchUpDeps {
  readonly bus: TailBus;
  readonly db: Db;
  readonly logger: Logger;
  readonly nudge: () => void;
}

const LOOK_MS = 1_000;
/** Changes put up at a time. */
const PART = 500;
/** Nothing for so long: all that came before is read, milliseconds. */
const QUIET_MS = 200;
/** So much may wait for an endpoint before it is given more of what came before. */
const MAX_WAITING = 5_000;

interface Behind {
  readonly id: string;
  readonly tenant: string;
  readonly position: bigint;
  readonly stream: string;
}

/** One that was looked at last comes last. */
const NEXT = `
SELECT e.id, e.tenant, e.position, r.stream FROM control.webhook_endpoint e CROSS JOIN control.webhook_reader r
 WHERE e.behind AND e.state = 'active' AND NOT e.id = ANY ($1::uuid[])
   AND (SELECT count(*) FROM (SELECT FROM control.webhook_delivery d WHERE d.endpoint = e.id AND d.state = 'waiting' LIMIT ${MAX_WAITING}) w) < ${MAX_WAITING}
 ORDER BY e.id LIMIT 1`;

const MOVE = `
UPDATE control.webhook_endpoint SET position = $3 WHERE id = $1 AND position = $2 AND behind AND state = 'active' RETURNING id`;

/** From here on it is told what comes: the reader is no further, and cannot move meanwhile. */
const JOIN = `
UPDATE control.webhook_endpoint SET behind = false
 WHERE id = $1 AND position >= (SELECT sequence FROM control.webhook_reader FOR UPDATE) RETURNING id`;

export function createCatchUp({ bus, db, logger, nudge }: CatchUpDeps): Part {
  /** Two processes may do this for the same endpoint: one of them moves its position, the other's part is undone. */
  async function advance({ id, tenant, position, stream }: Behind, signal: AbortSignal): Promise<void> {
    const { stored, reached } = await readPart(
      bus,
      tenant,
      { stream, sequence: position, storedAt: null },
      signal,
    );
    if (signal.aborted) return;
    const put = await db.tx(async (tx) => {
      const count = await enqueue(tx, stored, { endpoint: id });
      const moved = await tx.query(MOVE, [id, position, reached]);
      if (moved.length === 0) throw new MovedError();
      if (stored.length < PART) await tx.query(JOIN, [id]);
      return count;
    });
    if (put > 0) nudge();
  }

  /** What it was to be told is not kept any more: it is told the rest. */
  async function skip({ id, position }: Behind): Promise<void> {
    const { first } = await bus.state('CHANGES');
    const next = first > 0n ? first - 1n : 0n;
    await db.query(
      'UPDATE control.webhook_endpoint SET position = greatest(position, $3), lost_at = now() WHERE id = $1 AND position = $2',
      [id, position, next],
    );
  }

  return {
    name: 'webhook catch-up',
    async run(signal) {
      while (!signal.aborted) {
        const done: string[] = [];
        try {
          for (;;) {
            const [next] = await db.query<Behind>(NEXT, [done]);
            if (!next || signal.aborted) break;
            done.push(next.id);
            await advance(next, signal).catch(async (error: unknown) => {
              if (error instanceof ChangesLostError) await skip(next);
              else if (!(error instanceof MovedError)) throw error;
            });
          }
        } catch (error) {
          logger.warn({ err: error }, `webhooks could not catch up: ${messageOf(error)}`);
        }
        if (done.length === 0) await pause(LOOK_MS, signal);
      }
    },
  };
}

/** Somebody else moved the endpoint on, or back. */
class MovedError extends Error {
  override readonly name = 'MovedError';
}

async function readPart(
  bus: TailBus,
  tenant: string,
  from: Parameters<typeof tailStored>[2],
  signal: AbortSignal,
) {
  const stored: Stored[] = [];
  let reached = from.sequence;
  for await (const arrived of tailStored(bus, [subjects.changesOf(tenant)], from, signal, QUIET_MS)) {
    stored.push(...arrived.stored.slice(0, PART - stored.length));
    const isFull = stored.length === PART;
    reached = isFull ? (stored.at(-1)?.sequence ?? reached) : arrived.position.sequence;
    const { last } = await bus.state('CHANGES');
    if (isFull || reached >= last || signal.aborted) break;
  }
  return { stored, reached };
}
