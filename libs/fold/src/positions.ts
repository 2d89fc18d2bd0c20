/** How far folds have come: for status, and for back-pressure. */
import type { Bus } from '@mailstream/bus';
import type { FoldLag } from '@mailstream/contracts';
import type { Db, Sql } from '@mailstream/db';
import { partitionFilter } from './filters.ts';

export interface FoldPosition {
  readonly partition: number;
  readonly position: bigint;
  /** Up to here it folds in silence. */
  readonly quietUntil: bigint;
  readonly updatedAt: Date;
}

/** Where a fold stands in the partitions it has ever folded. */
export async function readPositions(sql: Sql, fold: string): Promise<FoldPosition[]> {
  return await sql.query<FoldPosition>(
    `SELECT partition, position, quiet_until AS "quietUntil", updated_at AS "updatedAt"
     FROM fold.checkpoint WHERE fold = $1 ORDER BY partition`,
    [fold],
  );
}

/**
 * How far a fold is behind in one partition, or in each: 0 when it has folded the partition's newest event, else the distance to that in the whole
 * log, which is more than the events it has to fold.
 */
export async function readLag(
  { bus, db }: { readonly bus: Bus; readonly db: Db },
  fold: string,
  only?: number,
): Promise<FoldLag[]> {
  const positions = (await readPositions(db, fold)).filter(
    ({ partition }) => only === undefined || partition === only,
  );
  return await Promise.all(
    positions.map(async ({ partition, position }) => {
      const newest = await bus.last('MAIL', partitionFilter(partition));
      const lag = newest && newest.sequence > position ? Number(newest.sequence - position) : 0;
      return { fold, partition, position: String(position), lag };
    }),
  );
}
