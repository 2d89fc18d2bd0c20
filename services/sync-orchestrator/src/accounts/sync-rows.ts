/** Reads an account with its scopes under a lock, and writes back what a decision changed. */
import {
  type AccountState,
  type FailureClass,
  type HintReason,
  isUuid,
  type Lane,
} from '@mailstream/contracts';
import type { Sql, Tx } from '@mailstream/db';
import type { ScopeState, SyncState } from '../domain/state.ts';

/** The parts of an account that acting on a decision needs. */
export interface AccountRow {
  readonly id: string;
  readonly tenant: string;
  readonly provider: string;
  readonly name: string;
  readonly credentialVersion: number;
}

export interface Locked {
  readonly account: AccountRow;
  readonly sync: SyncState;
}

/** Accounts by id with their scopes, each row locked until the transaction ends; removed accounts and strangers are left out. */
export async function lockAccounts(tx: Tx, ids: readonly string[]): Promise<Map<string, Locked>> {
  // In id order, so that two transactions that lock several accounts cannot wait for each other.
  const accounts = await tx.query<AccountRow & Omit<SyncState, 'scopes'>>(
    `SELECT id, tenant, provider, name, credential_version AS "credentialVersion", state, reason, spending
       FROM control.account WHERE id = ANY($1::uuid[]) AND removed_at IS NULL ORDER BY id FOR UPDATE`,
    [ids.filter(isUuid)],
  );
  const scopes = await loadScopes(
    tx,
    accounts.map((row) => row.id),
  );
  return new Map(
    accounts.map(({ state, reason, spending, ...account }) => [
      account.id,
      { account, sync: { state, reason, spending, scopes: scopes.get(account.id) ?? new Map() } },
    ]),
  );
}

/** All accounts but removed ones. */
export async function readAccounts(sql: Sql): Promise<(AccountRow & { readonly state: AccountState })[]> {
  return await sql.query(
    `SELECT id, tenant, provider, name, credential_version AS "credentialVersion", state
       FROM control.account WHERE removed_at IS NULL`,
  );
}

interface ScopeRow {
  account: string;
  scope: string;
  path: string | null;
  address: string | null;
  hot: boolean;
  wanted: HintReason | null;
  backfilled: boolean;
  estimate: number | null;
  run: string | null;
  lane: Lane | null;
  run_since: Date | null;
  attempts: number;
  retry_at: Date | null;
  failure: { failure: FailureClass; code: string; message: string; at: string } | null;
  checked_at: Date | null;
  cursor_at: Date | null;
  import_ends_at: Date | null;
}

/** The scopes of accounts, by account and scope. */
export async function loadScopes(
  sql: Sql,
  accounts: readonly string[],
): Promise<Map<string, Map<string, ScopeState>>> {
  const rows = await sql.query<ScopeRow>('SELECT * FROM control.scope WHERE account = ANY($1::uuid[])', [
    accounts,
  ]);
  const byAccount = new Map<string, Map<string, ScopeState>>();
  for (const row of rows) {
    const scopes = byAccount.get(row.account) ?? new Map<string, ScopeState>();
    scopes.set(row.scope, {
      scope: row.scope,
      path: row.path,
      address: row.address,
      hot: row.hot,
      wanted: row.wanted,
      backfilled: row.backfilled,
      estimate: row.estimate,
      inFlight:
        row.run && row.lane && row.run_since ? { run: row.run, lane: row.lane, since: row.run_since } : null,
      attempts: row.attempts,
      retryAt: row.retry_at,
      failure: row.failure ? { ...row.failure, at: new Date(row.failure.at) } : null,
      checkedAt: row.checked_at,
      cursorAt: row.cursor_at,
      importEndsAt: row.import_ends_at,
    });
    byAccount.set(row.account, scopes);
  }
  return byAccount;
}

/** Writes the rows that differ between two states of an account; unchanged scopes are the same object and cost nothing. */
export async function saveChanges(tx: Tx, id: string, before: SyncState, after: SyncState): Promise<void> {
  const { state, reason, spending } = after;
  if (before.state !== state || before.reason !== reason || before.spending !== spending) {
    await tx.query('UPDATE control.account SET state = $2, reason = $3, spending = $4 WHERE id = $1', [
      id,
      state,
      reason,
      spending && JSON.stringify(spending),
    ]);
  }
  const gone = [...before.scopes.keys()].filter((scope) => !after.scopes.has(scope));
  if (gone.length > 0) {
    await tx.query('DELETE FROM control.scope WHERE account = $1 AND scope = ANY($2::text[])', [id, gone]);
  }
  const changed = [...after.scopes.values()].filter((scope) => before.scopes.get(scope.scope) !== scope);
  if (changed.length > 0) await upsertScopes(tx, id, changed);
}

const UPSERT_SCOPES = `
INSERT INTO control.scope
SELECT $1::uuid, s.scope, s.path, s.address, s.hot, s.wanted, s.backfilled, s.estimate, s.run, s.lane, s.run_since, s.attempts,
       s.retry_at, s.failure, s.checked_at, s.cursor_at, s.import_ends_at
  FROM jsonb_to_recordset($2::jsonb) AS s(scope text, path text, address text, hot boolean, wanted text, backfilled boolean, estimate integer,
       run text, lane text, run_since timestamptz, attempts integer, retry_at timestamptz, failure jsonb,
       checked_at timestamptz, cursor_at timestamptz, import_ends_at timestamptz)
ON CONFLICT (account, scope) DO UPDATE SET
  path = excluded.path, address = excluded.address, hot = excluded.hot, wanted = excluded.wanted, backfilled = excluded.backfilled,
  estimate = excluded.estimate, run = excluded.run, lane = excluded.lane, run_since = excluded.run_since,
  attempts = excluded.attempts, retry_at = excluded.retry_at, failure = excluded.failure,
  checked_at = excluded.checked_at, cursor_at = excluded.cursor_at,
  import_ends_at = excluded.import_ends_at`;

async function upsertScopes(tx: Tx, account: string, scopes: readonly ScopeState[]): Promise<void> {
  const rows = scopes.map((scope) => ({
    scope: scope.scope,
    path: scope.path,
    address: scope.address,
    hot: scope.hot,
    wanted: scope.wanted,
    backfilled: scope.backfilled,
    estimate: scope.estimate,
    run: scope.inFlight?.run ?? null,
    lane: scope.inFlight?.lane ?? null,
    run_since: scope.inFlight?.since ?? null,
    attempts: scope.attempts,
    retry_at: scope.retryAt,
    failure: scope.failure,
    checked_at: scope.checkedAt,
    cursor_at: scope.cursorAt,
    import_ends_at: scope.importEndsAt,
  }));
  await tx.query(UPSERT_SCOPES, [account, JSON.stringify(rows)]);
}
