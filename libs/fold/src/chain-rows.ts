/** The rows of `fold.chain`: the last page applied per scope. */
import { partitionOf } from '@mailstream/contracts';
import type { Sql, Tx } from '@mailstream/db';
import { type Chains, scopeKey } from './chain.ts';
import type { Scope } from './port.ts';

interface ChainRow extends Scope {
  readonly page: string;
}

/** The chains of these scopes, as far as they have any. */
export async function readChains(
  tx: Tx,
  fold: string,
  partition: number,
  scopes: readonly Scope[],
): Promise<Chains> {
  if (scopes.length === 0) return new Map();
  const rows = await tx.query<ChainRow>(
    `SELECT tenant, account, scope, page FROM fold.chain
     JOIN unnest($3::text[], $4::text[], $5::text[]) AS wanted (tenant, account, scope) USING (tenant, account, scope)
     WHERE fold = $1 AND partition = $2`,
    [fold, partition, ...columns(scopes)],
  );
  return asChains(rows);
}

/** The last page that a fold applied of a scope; null when it has applied none. */
export async function appliedPage(sql: Sql, fold: string, at: Scope): Promise<string | null> {
  const { tenant, account, scope } = at;
  const [row] = await sql.query<{ page: string }>(
    'SELECT page FROM fold.chain WHERE fold = $1 AND partition = $2 AND tenant = $3 AND account = $4 AND scope = $5',
    [fold, Number(partitionOf(account)), tenant, account, scope],
  );
  return row?.page ?? null;
}

/** All chains of a partition. */
export async function readAllChains(tx: Tx, fold: string, partition: number): Promise<Chains> {
  const rows = await tx.query<ChainRow>(
    'SELECT tenant, account, scope, page FROM fold.chain WHERE fold = $1 AND partition = $2',
    [fold, partition],
  );
  return asChains(rows);
}

export async function writeChains(tx: Tx, fold: string, partition: number, changed: Chains): Promise<void> {
  const entries = [...changed.values()];
  const kept = entries.filter((entry) => entry.page !== null);
  const ended = entries.filter((entry) => entry.page === null).map((entry) => entry.scope);
  if (kept.length > 0)
    await tx.query(
      `INSERT INTO fold.chain (fold, partition, tenant, account, scope, page)
       SELECT $1, $2, * FROM unnest($3::text[], $4::text[], $5::text[], $6::text[])
       ON CONFLICT (fold, partition, tenant, account, scope) DO UPDATE SET page = excluded.page`,
      [fold, partition, ...columns(kept.map((entry) => entry.scope)), kept.map((entry) => entry.page)],
    );
  if (ended.length > 0)
    await tx.query(
      `DELETE FROM fold.chain WHERE fold = $1 AND partition = $2
       AND (tenant, account, scope) IN (SELECT * FROM unnest($3::text[], $4::text[], $5::text[]))`,
      [fold, partition, ...columns(ended)],
    );
}

export async function deleteAccountChains(
  tx: Tx,
  fold: string,
  partition: number,
  accounts: readonly string[],
): Promise<void> {
  if (accounts.length === 0) return;
  await tx.query('DELETE FROM fold.chain WHERE fold = $1 AND partition = $2 AND account = ANY($3)', [
    fold,
    partition,
    accounts,
  ]);
}

export async function deleteAllChains(tx: Tx, fold: string, partition: number): Promise<void> {
  await tx.query('DELETE FROM fold.chain WHERE fold = $1 AND partition = $2', [fold, partition]);
}

function columns(scopes: readonly Scope[]): [string[], string[], string[]] {
  return [scopes.map((s) => s.tenant), scopes.map((s) => s.account), scopes.map((s) => s.scope)];
}

function asChains(rows: readonly ChainRow[]): Chains {
  return new Map(rows.map(({ page, ...scope }) => [scopeKey(scope), { scope, page }]));
}
