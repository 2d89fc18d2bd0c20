/** What folds and outboxes still have of an account that is removed. */
import type { Sql } from '@mailstream/db';

/** Whether something that an outbox or a fold has to say of an account is not published yet. */
export async function isOutstanding(sql: Sql, relay: string, account: string): Promise<boolean> {
  const rows = await sql.query('SELECT FROM fold.outbox WHERE relay = $1 AND strpos(body, $2) > 0 LIMIT 1', [
    relay,
    account,
  ]);
  return rows.length > 0;
}

/** Its chains end: to be called when nothing of it is in the log any more. */
export async function forgetChains(sql: Sql, account: string): Promise<void> {
  await sql.query('DELETE FROM fold.chain WHERE account = $1', [account]);
}
