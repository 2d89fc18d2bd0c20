/** The rows of `fold.rebuild`: how far the rebuild of a fold's tables is. */
import type { Difference, RebuildStatus } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';

export interface RebuildProgress {
  readonly stage: RebuildStatus['stage'];
  /** Facts folded into the new tables, and those still to fold. */
  readonly events: number;
  readonly remaining: number;
  /** Facts per second. */
  readonly rate: number | null;
  readonly differences: readonly Difference[];
}

/** Notes that a rebuild begins; what was noted of the one before is gone. */
export async function beginRebuild(sql: Sql, fold: string): Promise<void> {
  await forgetRebuild(sql, fold);
  await sql.query("INSERT INTO fold.rebuild (fold, stage) VALUES ($1, 'folding')", [fold]);
}

export async function saveRebuild(sql: Sql, fold: string, progress: RebuildProgress): Promise<void> {
  const { stage, events, remaining, rate, differences } = progress;
  await sql.query(
    `UPDATE fold.rebuild SET stage = $2, events = $3, remaining = $4, rate = $5, differences = $6, updated_at = now()
     WHERE fold = $1`,
    [fold, stage, events, remaining, rate, JSON.stringify(differences)],
  );
}

export async function forgetRebuild(sql: Sql, fold: string): Promise<void> {
  await sql.query('DELETE FROM fold.rebuild WHERE fold = $1', [fold]);
}

interface Row {
  readonly stage: RebuildStatus['stage'];
  readonly events: bigint;
  readonly remaining: bigint;
  readonly rate: number | null;
  readonly differences: readonly Difference[];
  readonly started_at: Date;
  readonly updated_at: Date;
}

/** The one that runs, or the last one; null when there was none. Without ids of rows: they are of all tenants. */
export async function readRebuild(sql: Sql, fold: string): Promise<RebuildStatus | null> {
  const [row] = await sql.query<Row>(
    'SELECT stage, events, remaining, rate, differences, started_at, updated_at FROM fold.rebuild WHERE fold = $1',
    [fold],
  );
  if (!row) return null;
  const remaining = Number(row.remaining);
  return {
    stage: row.stage,
    events: Number(row.events),
    remaining,
    eventsPerSecond: row.rate,
    secondsLeft: secondsLeft(remaining, row.rate),
    differences: row.differences.map(({ table, kind, rows }) => ({ table, kind, rows })),
    startedAt: row.started_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  };
}

export function secondsLeft(remaining: number, rate: number | null): number | null {
  return rate === null || rate === 0 ? null : Math.ceil(remaining / rate);
}
