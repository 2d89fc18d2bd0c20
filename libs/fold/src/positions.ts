/** How far folds have come: for status, and for back-pressure. */
import type { Bus } from '@mailstream/bus';
import type { FoldLag } from '@mailstream/contracts';
import type { Db, Sql } from '@mailstream/db';
import { liftOf } from './epoch.ts';
import { factFilters } from './filters.ts';

export interface FoldPosition {
  readonly partition: number;
  readonly position: bigint;
  /** What the position is as a version: all facts of the partition up to this version are folded. */
  readonly version: bigint;
  /** Up to here it folds in silence. */
  readonly quietUntil: bigint;
  readonly updatedAt: Date;
}

/** Where a fold stands in the partitions it has ever folded. */
export async function readPositions(sql: Sql, fold: string): Promise<FoldPosition[]> {
  const rows = await sql.query<Omit<FoldPosition, 'version'> & { readonly epoch: string }>(
    `SELECT partition, position, epoch, quiet_until AS "quietUntil", updated_at AS "updatedAt"
     FROM fold.checkpoint WHERE fold = $1 ORDER BY partition`,
    [fold],
  );
  return rows.map(({ epoch, ...row }) => ({ ...row, version: row.position + liftOf(epoch) }));
}

/** Sequence of the newest message in a partition that a fold wants; 0n when there is none. */
export async function newestFact(
  bus: Pick<Bus, 'last'>,
  partition: number,
  facts: readonly string[],
): Promise<bigint> {
  const newest = await Promise.all(factFilters(partition, facts).map((filter) => bus.last('MAIL', filter)));
  return newest.reduce((last, each) => (each && each.sequence > last ? each.sequence : last), 0n);
}

/**
 * How far a fold is behind in one partition, or in each: 0 when it has folded the newest fact it wants, else the distance to that in the whole
 * log, which is more than the events it has to fold. `facts` as in its definition; absent: it wants all.
 */
export async function readLag(
  { bus, db }: { readonly bus: Bus; readonly db: Db },
  fold: string,
  {
    partition: only,
    facts = ['>'],
  }: { readonly partition?: number; readonly facts?: readonly string[] } = {},
): Promise<FoldLag[]> {
  const positions = (await readPositions(db, fold)).filter(
    ({ partition }) => only === undefined || partition === only,
  );
  return await Promise.all(
    positions.map(async ({ partition, position, updatedAt }) => {
      const newest = await newestFact(bus, partition, facts);
      const lag = newest > position ? Number(newest - position) : 0;
      return { fold, partition, position: String(position), lag, movedAt: updatedAt.toISOString() };
    }),
  );
}
