/** What all accounts of a provider have spent together in the last minute, as their rows say. */
import type { Sql } from '@mailstream/db';

export interface ProjectSpending {
  readonly provider: string;
  readonly perMinute: number;
  readonly units: number;
}

const SELECT = `
SELECT a.provider, max((a.spending->>'projectPerMinute')::bigint)::float8 AS "perMinute",
       coalesce(sum(s.units) FILTER (WHERE s.at > $1), 0)::float8 AS units
  FROM control.account a
  LEFT JOIN LATERAL jsonb_to_recordset(a.spending->'spent') AS s(at bigint, units bigint) ON true
 WHERE a.spending IS NOT NULL AND a.removed_at IS NULL
 GROUP BY a.provider ORDER BY a.provider`;

const MINUTE = 60_000;

/** By provider; those that count nothing are left out. */
export function readProjectSpending(sql: Sql, now: number): Promise<ProjectSpending[]> {
  return sql.query<ProjectSpending>(SELECT, [now - MINUTE]);
}

/** It reads the rows of all accounts: so seldom that 10,000 of them are nothing, and often enough for a limit per minute. */
const KEPT_MS = 5_000;

/** Units of a provider's accounts, a few seconds old at most. */
export function createProjectUnits(sql: Sql): (provider: string) => Promise<number> {
  let readAt = Number.NEGATIVE_INFINITY;
  let spending: Promise<ProjectSpending[]> = Promise.resolve([]);
  return async (provider) => {
    const now = Date.now();
    if (now - readAt >= KEPT_MS) {
      readAt = now;
      spending = readProjectSpending(sql, now);
      spending.catch(() => {
        readAt = Number.NEGATIVE_INFINITY;
      });
    }
    return (await spending).find((one) => one.provider === provider)?.units ?? 0;
  };
}
