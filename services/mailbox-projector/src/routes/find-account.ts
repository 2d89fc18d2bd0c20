/** Which accounts a caller may read. */
import type { Sql } from '@mailstream/db';
import { AppError } from '@mailstream/runtime';

/** The accounts a list is about: the one named, or all of the tenant. Throws `api.no_account` for one the tenant does not have. */
export async function findAccounts(sql: Sql, tenant: string, account: string | undefined): Promise<string[]> {
  const rows = await sql.query<{ account: string }>(
    `select account from account where tenant = $1 and ($2::text is null or account = $2) and state <> 'removed'`,
    [tenant, account ?? null],
  );
  if (account !== undefined && rows.length === 0)
    throw new AppError(
      'api.no_account',
      'not_found',
      `there is no account ${account} in the view; one that was just added is there in a moment`,
    );
  return rows.map((row) => row.account);
}
