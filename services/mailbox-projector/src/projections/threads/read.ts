/** Threads as the read API shows them. */
import type { ThreadView } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';
import { stateOf, type ThreadRow, threadView } from './queries.ts';

const COLUMNS =
  't.id, t.tenant, t.account, t.version, t.subject, t.messages, t.unread, t.first_at, t.last_at, t.empty_since';

/** Newest first, only what is older than `after`; each account is walked along its index. */
export async function listThreads(
  sql: Sql,
  accounts: readonly string[],
  after: { readonly time: string; readonly id: string } | null,
  limit: number,
): Promise<ThreadView[]> {
  const rows = await sql.query<ThreadRow>(
    `select t.* from unnest($1::text[]) as a (account)
     cross join lateral (
       select ${COLUMNS} from thread t
       where t.account = a.account and t.empty_since is null
         and ($2::timestamptz is null or (t.last_at, t.id) < ($2, $3::uuid))
       order by t.last_at desc, t.id desc limit $4
     ) as t
     order by t.last_at desc, t.id desc limit $4`,
    [accounts, after?.time ?? null, after?.id ?? null, limit],
  );
  return rows.map((row) => threadView(stateOf(row)));
}

/** Null when the tenant has none of this id, or it has no messages any more. */
export async function readThread(sql: Sql, tenant: string, id: string): Promise<ThreadView | null> {
  const [row] = await sql.query<ThreadRow>(
    `select ${COLUMNS} from thread t where t.id = $1 and t.tenant = $2 and t.empty_since is null`,
    [id, tenant],
  );
  return row ? threadView(stateOf(row)) : null;
}
