/** Accounts between the fold and the database. */
import type { Tx } from '@mailstream/db';
import { records } from '../../sql.ts';
import type { AccountNews, AccountState } from './projection.ts';

/** Accounts as they stand before the batch. */
export async function loadAccounts(tx: Tx, accounts: readonly string[]): Promise<AccountState[]> {
  if (accounts.length === 0) return [];
  return await tx.query<AccountState>(
    'select account, tenant, version, provider, name, state, reason from account where account = any($1::text[])',
    [accounts],
  );
}

/** Writes the last that was said of each account. */
export async function saveAccounts(tx: Tx, news: readonly AccountNews[]): Promise<void> {
  const last = [...new Map(news.map(({ state }) => [state.account, state])).values()];
  if (last.length === 0) return;
  await tx.query(
    `insert into account (account, tenant, version, provider, name, state, reason)
     select * from json_to_recordset($1::json)
       as a (account text, tenant text, version bigint, provider text, name text, state text, reason text)
     on conflict (account) do update set version = excluded.version, provider = excluded.provider, name = excluded.name,
       state = excluded.state, reason = excluded.reason`,
    [records(last.map((account) => ({ ...account, version: String(account.version) })))],
  );
}

/** Which of these accounts were removed. A fetch that was under way may still bring pages of them. */
export async function findRemoved(tx: Tx, accounts: readonly string[]): Promise<ReadonlySet<string>> {
  const rows = await tx.query<{ account: string }>(
    "select account from account where account = any($1::text[]) and state = 'removed'",
    [accounts],
  );
  return new Set(rows.map(({ account }) => account));
}

/** Their rows are to be deleted, also when that was done before; of their own row the name goes now. */
export async function markRemoved(tx: Tx, accounts: readonly string[]): Promise<void> {
  if (accounts.length === 0) return;
  await tx.query(
    "update account set to_erase = true, name = '', reason = null where account = any($1::text[])",
    [accounts],
  );
}
