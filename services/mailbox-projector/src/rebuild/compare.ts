/** What the live tables have otherwise than the new ones, row by row. */
import type { Difference } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';
import { LIVE, NEXT, readTables } from './tables.ts';

/** Ids of rows that are named per table and kind. */
const NAMED = 10;

/**
 * Compares all tables in a transaction that sees both where they have folded the same. Rows of removed accounts are left out: they go when the eraser
 * comes by, not when a fact says so.
 */
export async function compareTables(sql: Sql): Promise<Difference[]> {
  const differences: Difference[] = [];
  for (const { name, key } of await readTables(sql, NEXT)) {
    const rows = await sql.query<Omit<Difference, 'table'>>(compareStatement(name, key));
    differences.push(...rows.map((row) => ({ table: name, ...row })));
  }
  return differences;
}

/** By digests: the rows of a join that does not fit in memory are written out. */
function compareStatement(table: string, key: readonly string[]): string {
  const columns = key.join(', ');
  const digests = (schema: string) =>
    `select ${columns}, hashtextextended(t::text, 0) as digest from ${schema}.${table} t
      where not exists (select from ${LIVE}.account a where a.account = t.account and a.state = 'removed')`;
  return `
    with live as materialized (${digests(LIVE)}), next as materialized (${digests(NEXT)}), differing as (
      select concat_ws('/', ${columns}) as key,
        case when live.digest is null then 'missing' when next.digest is null then 'extra' else 'different' end as kind
      from live full join next using (${columns}) where live.digest is distinct from next.digest
    )
    select kind, count(*)::int as rows, (array_agg(key order by key))[1:${NAMED}] as first from differing group by kind order by kind`;
}
