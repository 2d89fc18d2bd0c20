/** Accounts that nobody looks at, though nothing is known to be wrong with them. */
import type { LateAccounts } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';

/** What fails says so by itself, and who is paused waits for a person. */
const SELECT = `
SELECT a.name, coalesce(max(s.checked_at), a.created_at) AS "checkedAt", count(*) OVER () AS count
  FROM control.account a LEFT JOIN control.scope s ON s.account = a.id
 WHERE a.tenant = $1 AND a.removed_at IS NULL AND a.state IN ('connecting', 'backfilling', 'live')
 GROUP BY a.id HAVING coalesce(max(s.checked_at), a.created_at) < now() - $2 * interval '1 ms'
 ORDER BY 2 LIMIT 1`;

/** Milliseconds that the sweep, which mends what it can, may take to come by and its hint to be followed. */
const SWEPT_MS = 60_000;

/** Those of which no mailbox was looked at with success for three intervals; the sweep hints them after two. Null when there are none. */
export async function readLate(sql: Sql, tenant: string, pollMs: number): Promise<LateAccounts | null> {
  const [row] = await sql.query<{ name: string; checkedAt: Date; count: bigint }>(SELECT, [
    tenant,
    3 * pollMs + SWEPT_MS,
  ]);
  return row ? { count: Number(row.count), name: row.name, checkedAt: row.checkedAt.toISOString() } : null;
}
