/** Runs as the read API shows them. */
import type { FailureClass, SyncRunView } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';
import { runView } from './projection.ts';

interface RunRow {
  readonly account: string;
  readonly scope: string;
  readonly run: string;
  readonly version: bigint;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly started_at: Date;
  readonly ended_at: Date | null;
  readonly attempts: number | null;
  readonly failure: FailureClass | null;
  readonly code: string | null;
  readonly message: string | null;
}

/** How many runs a list has at most. */
const MAX_RUNS = 500;

/** The latest first. */
export async function listRuns(sql: Sql, accounts: readonly string[]): Promise<SyncRunView[]> {
  const rows = await sql.query<RunRow>(
    `select account, scope, run, version, inserted, updated, deleted, started_at, ended_at, attempts, failure, code, message
     from run where account = any($1::text[]) order by version desc limit ${MAX_RUNS}`,
    [accounts],
  );
  return rows.map(({ started_at, ended_at, ...row }) =>
    runView(row, { ...row, startedAt: started_at.getTime(), endedAt: ended_at?.getTime() ?? null }),
  );
}
