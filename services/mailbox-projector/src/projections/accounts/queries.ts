/** Accounts between the fold and the database. */
import type { Tx } from '@mailstream/db';
import { DELETE_ACCOUNT } from './delete-account.sql.ts';
import type { AccountNews } from './projection.ts';

/** Writes the last that was said of each account. */
export async function saveAccounts(tx: Tx, news: readonly AccountNews[]): Promise<void> {
  const last = [...new Map(news.map(({ state }) => [state.account, state])).values()];
  if (last.length === 0) return;
  await tx.query(
    `insert into view.account (account, tenant, version, provider, name, state, reason)
     select * from unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[])
     on conflict (account) do update set version = excluded.version, provider = excluded.provider, name = excluded.name,
       state = excluded.state, reason = excluded.reason`,
    [
      last.map((a) => a.account),
      last.map((a) => a.tenant),
      last.map((a) => String(a.version)),
      last.map((a) => a.provider),
      last.map((a) => a.name),
      last.map((a) => a.state),
      last.map((a) => a.reason),
    ],
  );
}

/** Which of these accounts were removed. A fetch that was under way may still bring pages of them. */
export async function findRemoved(tx: Tx, accounts: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ account: string }>(
    "select account from view.account where account = any($1::text[]) and state = 'removed'",
    [accounts],
  );
  return new Set(rows.map(({ account }) => account));
}

export async function deleteAccount(tx: Tx, account: string): Promise<void> {
  await tx.query(DELETE_ACCOUNT, [account]);
}
