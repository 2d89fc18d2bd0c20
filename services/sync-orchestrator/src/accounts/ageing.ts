/** Mailboxes that were not looked at for so long that their provider may soon not say any more what changed since. */
import type { AgeingCursor } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';
import type { Provider } from '@mailstream/providers';

const SELECT = `
SELECT a.id AS account, a.name, s.path, s.checked_at AS "checkedAt", s.checked_at + p.life * interval '1 ms' AS until
  FROM control.scope s
  JOIN control.account a ON a.id = s.account
  JOIN unnest($2::text[], $3::float8[]) AS p (provider, life) USING (provider)
 WHERE a.tenant = $1 AND a.removed_at IS NULL AND s.checked_at < now() - p.life / 2 * interval '1 ms'
 ORDER BY until LIMIT 20`;

/** Those of which half the time is over, the oldest first. */
export async function readAgeing(
  sql: Sql,
  tenant: string,
  providers: readonly Pick<Provider, 'name' | 'cursorLifeMs'>[],
): Promise<AgeingCursor[]> {
  const limited = providers.filter(({ cursorLifeMs }) => cursorLifeMs !== undefined);
  const rows = await sql.query<Omit<AgeingCursor, 'checkedAt' | 'until'> & { checkedAt: Date; until: Date }>(
    SELECT,
    [tenant, limited.map(({ name }) => name), limited.map(({ cursorLifeMs }) => cursorLifeMs)],
  );
  return rows.map((row) => ({
    ...row,
    checkedAt: row.checkedAt.toISOString(),
    until: row.until.toISOString(),
  }));
}
