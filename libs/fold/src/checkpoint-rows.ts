/** The rows of `fold.checkpoint`: where a fold stands in a partition. */
import type { Sql, Tx } from '@mailstream/db';

export interface Checkpoint {
  /** Sequence of the last message folded, or known not to concern the partition. */
  readonly position: bigint;
  /** The log that `position` counts in (`epochOf`). */
  readonly epoch: string;
  /** Of the message at `position` (`fingerprintOf`); null when there was none. */
  readonly fingerprint: string | null;
  /** Up to here emissions are not written. */
  readonly quietUntil: bigint;
}

/** Another replica, a repair or a rebuild moved the position: what was read is void, open again. */
export class PositionMoved extends Error {
  override readonly name = 'PositionMoved';
}

export async function readCheckpoint(sql: Sql, fold: string, partition: number): Promise<Checkpoint | null> {
  const [row] = await sql.query<Checkpoint>(
    `SELECT position, epoch, fingerprint, quiet_until AS "quietUntil"
     FROM fold.checkpoint WHERE fold = $1 AND partition = $2`,
    [fold, partition],
  );
  return row ?? null;
}

/** Where a fold stands in each partition it has folded; `hold`: and it stays there until the transaction ends. */
export async function readCheckpoints(
  sql: Sql,
  fold: string,
  hold?: 'hold',
): Promise<ReadonlyMap<number, Checkpoint>> {
  const rows = await sql.query<Checkpoint & { partition: number }>(
    `SELECT partition, position, epoch, fingerprint, quiet_until AS "quietUntil"
     FROM fold.checkpoint WHERE fold = $1 ORDER BY partition ${hold ? 'FOR UPDATE' : ''}`,
    [fold],
  );
  return new Map(rows.map(({ partition, ...at }) => [partition, at]));
}

export async function createCheckpoint(
  sql: Sql,
  fold: string,
  partition: number,
  at: Checkpoint,
): Promise<void> {
  await sql.query(
    `INSERT INTO fold.checkpoint (fold, partition, position, epoch, fingerprint, quiet_until)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
    [fold, partition, at.position, at.epoch, at.fingerprint, at.quietUntil],
  );
}

/** Compare and set: moves the checkpoint and keeps it locked until the transaction ends. Throws `PositionMoved` if it is not at `from`. */
export async function moveCheckpoint(
  tx: Tx,
  fold: string,
  partition: number,
  from: Checkpoint,
  to: Checkpoint,
): Promise<void> {
  const moved = await tx.query(
    `UPDATE fold.checkpoint
     SET position = $5, epoch = $6, fingerprint = $7, quiet_until = $8, updated_at = now()
     WHERE fold = $1 AND partition = $2 AND position = $3 AND epoch = $4
     RETURNING 1`,
    [fold, partition, from.position, from.epoch, to.position, to.epoch, to.fingerprint, to.quietUntil],
  );
  if (moved.length === 0)
    throw new PositionMoved(`${fold} no longer stands at ${from.position} in partition ${partition}`);
}
