/** What is known of accounts that are being removed, or were: the row while there is one, then the audit trail. */
import { type AccountRef, isUuid, type RemovalStep } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';

const REMOVED = `
SELECT removal AS step FROM control.account WHERE id = $1 AND tenant = $2 AND removed_at IS NOT NULL
UNION ALL
SELECT NULL FROM control.audit WHERE account = $1 AND tenant = $2 AND action = 'account.erased'`;

/** Whether somebody has removed it, though it may not be gone yet. Of an account that nobody knows: no. */
export async function isRemoved(sql: Sql, { tenant, account }: AccountRef): Promise<boolean> {
  return isUuid(account) && (await sql.query(REMOVED, [account, tenant])).length > 0;
}

/** Whether its events are deleted already, or are about to be: what is in the log of it came late, or nobody needs it. */
export async function wasEmptied(sql: Sql, { tenant, account }: AccountRef): Promise<boolean> {
  if (!isUuid(account)) return false;
  const rows = await sql.query<{ step: RemovalStep | null }>(REMOVED, [account, tenant]);
  return rows.some(({ step }) => step === null || step === 'log');
}
