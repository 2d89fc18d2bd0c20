/** Cursors and runs between the fold and the database. */
import type { FailureClass, Origin } from '@mailstream/contracts';
import type { Tx } from '@mailstream/db';
import type { Scope } from '@mailstream/fold';
import { records, timestamp } from '../../sql.ts';
import { type CursorEntry, type LoadedCursor, RUNS_KEPT } from './projection.ts';

interface CursorRow {
  readonly tenant: string;
  readonly account: string;
  readonly scope: string;
  readonly page: string | null;
  readonly cursor: unknown;
  readonly origin: Origin | null;
  readonly done: boolean;
  readonly estimate: number | null;
  readonly at: Date | null;
  readonly version: bigint;
  readonly completed_at: Date | null;
  readonly runs: number;
  readonly last_run: LastRun | null;
}

/** A run as JSON: its version is text, because a number would be rounded. */
interface LastRun {
  readonly run: string;
  readonly version: string;
  readonly inserted: number;
  readonly updated: number;
  readonly deleted: number;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly attempts: number | null;
  readonly failure: FailureClass | null;
  readonly code: string | null;
  readonly message: string | null;
}

export async function loadCursors(
  tx: Tx,
  scopes: readonly { readonly account: string; readonly scope: string }[],
): Promise<LoadedCursor[]> {
  if (scopes.length === 0) return [];
  const rows = await tx.query<CursorRow>(
    `select c.*, to_jsonb(r) || jsonb_build_object('version', r.version::text) as last_run
     from json_to_recordset($1::json) as s (account text, scope text)
     join cursor c using (account, scope)
     left join run r on r.account = c.account and r.scope = c.scope and r.slot = c.runs % ${RUNS_KEPT}`,
    [records(scopes)],
  );
  return rows.map(({ completed_at, at, last_run, ...row }) => ({
    state: { ...row, at: at?.getTime() ?? null, completedAt: completed_at?.getTime() ?? null },
    lastRun: last_run && {
      run: last_run.run,
      version: BigInt(last_run.version),
      inserted: last_run.inserted,
      updated: last_run.updated,
      deleted: last_run.deleted,
      startedAt: Date.parse(last_run.started_at),
      endedAt: last_run.ended_at === null ? null : Date.parse(last_run.ended_at),
      attempts: last_run.attempts,
      failure: last_run.failure,
      code: last_run.code,
      message: last_run.message,
    },
  }));
}

export async function saveCursors(tx: Tx, entries: Iterable<CursorEntry>): Promise<void> {
  const cursors = [...entries].map(({ now }) => now);
  if (cursors.length === 0) return;
  await tx.query(
    `insert into cursor (account, scope, tenant, page, cursor, origin, done, estimate, at, version, completed_at, runs)
     select * from json_to_recordset($1::json)
       as c (account text, scope text, tenant text, page text, cursor jsonb, origin text, done boolean, estimate int, at timestamptz,
         version bigint, completed_at timestamptz, runs int)
     on conflict (account, scope) do update set page = excluded.page, cursor = excluded.cursor, origin = excluded.origin,
       done = excluded.done, estimate = excluded.estimate, at = excluded.at, version = excluded.version,
       completed_at = excluded.completed_at, runs = excluded.runs`,
    [
      records(
        cursors.map((c) => ({
          ...c,
          at: timestamp(c.at),
          version: String(c.version),
          completed_at: timestamp(c.completedAt),
        })),
      ),
    ],
  );
  await saveRuns(tx, entries);
}

/** The ring may have gone round within the batch: a later run takes the slot. */
async function saveRuns(tx: Tx, entries: Iterable<CursorEntry>): Promise<void> {
  const runs = [...entries].flatMap(({ now: { account, scope, tenant, runs: last }, runs }) =>
    [...runs]
      .filter(([number]) => number > last - RUNS_KEPT)
      .map(([number, state]) => ({ account, scope, tenant, slot: number % RUNS_KEPT, ...state })),
  );
  if (runs.length === 0) return;
  await tx.query(
    `insert into run (account, scope, slot, tenant, run, version, inserted, updated, deleted, started_at, ended_at, attempts,
       failure, code, message)
     select * from json_to_recordset($1::json)
       as r (account text, scope text, slot int, tenant text, run text, version bigint, inserted int, updated int, deleted int,
         started_at timestamptz, ended_at timestamptz, attempts int, failure text, code text, message text)
     on conflict (account, scope, slot) do update set run = excluded.run, version = excluded.version, inserted = excluded.inserted,
       updated = excluded.updated, deleted = excluded.deleted, started_at = excluded.started_at, ended_at = excluded.ended_at,
       attempts = excluded.attempts, failure = excluded.failure, code = excluded.code, message = excluded.message`,
    [
      records(
        runs.map((r) => ({
          ...r,
          version: String(r.version),
          started_at: timestamp(r.startedAt),
          ended_at: timestamp(r.endedAt),
        })),
      ),
    ],
  );
}

/** Where the view stands in these scopes; scopes it knows nothing of stand at the beginning. */
export async function readCursors(
  tx: Tx,
  scopes: readonly Scope[],
): Promise<(Scope & { readonly cursor: unknown })[]> {
  const loaded = await loadCursors(tx, scopes);
  const cursors = new Map(loaded.map(({ state }) => [`${state.account}\u0000${state.scope}`, state.cursor]));
  return scopes.map((scope) => ({
    ...scope,
    cursor: cursors.get(`${scope.account}\u0000${scope.scope}`) ?? null,
  }));
}
