/** Threads between the fold and the database. */
import type { ThreadView } from '@mailstream/contracts';
import type { Tx } from '@mailstream/db';
import { records, timestamp } from '../../sql.ts';
import { LOAD_THREADS } from './load-threads.sql.ts';
import type { LoadedThread, ThreadEntry, ThreadFold, ThreadState } from './projection.ts';
import { WRITE_THREADS } from './write-threads.sql.ts';

export interface ThreadRow {
  readonly id: string;
  readonly tenant: string;
  readonly account: string;
  readonly version: bigint;
  readonly subject: string | null;
  readonly messages: number;
  readonly unread: number;
  readonly first_at: Date | null;
  readonly last_at: Date | null;
  readonly empty_since: Date | null;
}

/** The threads of these messages, and those that these references belong to. */
export async function loadThreads(
  tx: Tx,
  ids: ReadonlySet<string>,
  refs: ReadonlySet<string>,
): Promise<LoadedThread[]> {
  if (ids.size === 0 && refs.size === 0) return [];
  const rows = await tx.query<ThreadRow & { refs: string[] | null }>(LOAD_THREADS, [[...refs], [...ids]]);
  return rows.map((row) => ({ ...stateOf(row), refs: row.refs ?? [] }));
}

export function stateOf({ first_at, last_at, empty_since, ...row }: ThreadRow): ThreadState {
  return {
    id: row.id,
    tenant: row.tenant,
    account: row.account,
    version: row.version,
    subject: row.subject,
    messages: row.messages,
    unread: row.unread,
    firstAt: first_at?.toISOString() ?? null,
    lastAt: last_at?.toISOString() ?? null,
    emptySince: empty_since?.getTime() ?? null,
  };
}

/**
 * Points everything of merged threads at their winners, other than the messages in `inHand`, which are written as they are in memory.
 * Returns the ids of the messages it changed that are alive.
 */
export async function saveMerges(tx: Tx, threads: ThreadFold, inHand: readonly string[]): Promise<string[]> {
  const merges = threads.merges();
  if (merges.length === 0) return [];
  const rows = records(
    merges.map(({ loser, winner, at }) => ({ loser, winner, version: String(at.sequence) })),
  );
  await tx.query(
    `update thread_ref r set thread = m.winner
     from json_to_recordset($1::json) as m (loser uuid, winner uuid) where r.thread = m.loser`,
    [rows],
  );
  await tx.query('delete from thread where id = any($1::uuid[])', [merges.map(({ loser }) => loser)]);
  const moved = await tx.query<{ id: string; deleted_at: Date | null }>(
    `update message m set thread = l.winner, version = l.version
     from json_to_recordset($1::json) as l (loser uuid, winner uuid, version bigint)
     where m.thread = l.loser and m.id <> all($2::uuid[])
     returning m.id, m.deleted_at`,
    [rows, inHand],
  );
  return moved.flatMap(({ id, deleted_at }) => (deleted_at === null ? [id] : []));
}

/** Writes what changed; messages and merges must have been written before. */
export async function saveThreads(tx: Tx, threads: ThreadFold): Promise<void> {
  const entries = threads.entries();
  await refresh(
    tx,
    entries.filter(({ stale }) => stale),
  );
  const changed = entries.filter(({ before, now }) => now !== before).map(({ now }) => now);
  if (changed.length > 0) await tx.query(WRITE_THREADS, [records(changed.map(rowOf))]);
  const refs = threads.newRefs();
  if (refs.length > 0)
    await tx.query(
      `insert into thread_ref (ref, tenant, account, thread)
       select * from json_to_recordset($1::json) as r (ref uuid, tenant text, account text, thread uuid)
       on conflict (ref) do update set thread = excluded.thread`,
      [
        records(
          refs.map(({ ref, thread: { tenant, account, id } }) => ({ ref, tenant, account, thread: id })),
        ),
      ],
    );
}

function rowOf({ firstAt, lastAt, emptySince, version, ...thread }: ThreadState) {
  return {
    ...thread,
    version: String(version),
    first_at: firstAt,
    last_at: lastAt,
    empty_since: timestamp(emptySince),
  };
}

/** The first and last message of a thread that lost one of them can only be found by looking. */
async function refresh(tx: Tx, stale: readonly ThreadEntry[]): Promise<void> {
  if (stale.length === 0) return;
  const rows = await tx.query<{ thread: string; first_at: Date; last_at: Date }>(
    `select thread, min(received_at) as first_at, max(received_at) as last_at
     from message where thread = any($1::uuid[]) and deleted_at is null group by thread`,
    [stale.map(({ now }) => now.id)],
  );
  const ends = new Map(rows.map((row) => [row.thread, row]));
  for (const entry of stale) {
    const end = ends.get(entry.now.id);
    if (end)
      entry.now = { ...entry.now, firstAt: end.first_at.toISOString(), lastAt: end.last_at.toISOString() };
  }
}

export function threadView(thread: ThreadState): ThreadView {
  const { id, account, version, subject, messages, unread, firstAt, lastAt } = thread;
  return {
    id,
    account,
    version: String(version),
    subject,
    messages,
    unread,
    firstAt: firstAt ?? '',
    lastAt: lastAt ?? '',
  };
}
