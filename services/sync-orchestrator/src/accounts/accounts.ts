/** Accounts as people manage them: added, changed, paused, resumed, removed; each change is a fact on the log. */

import type { Bus } from '@mailstream/bus';
import {
  type Account,
  type AccountCreate,
  type AccountRef,
  type AccountState,
  type AccountUpdate,
  type FailureClass,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import type { Db, Sql } from '@mailstream/db';
import { AppError } from '@mailstream/runtime';
import type { Vault } from '../credentials/vault.ts';
import type { SyncEvent } from '../domain/decide.ts';
import { newMailboxList } from '../domain/state.ts';
import { schedulePoll } from '../poll.ts';
import { accountFact, type Outbox, type Reactor } from '../react.ts';
import type { NotificationUrlOf, SubscriptionKeeper } from '../subscriptions/keeper.ts';
import { describeWebhook, type WebhookRow } from '../subscriptions/status.ts';
import type { ProviderCatalog } from './provider-catalog.ts';
import { saveChanges } from './sync-rows.ts';

export interface AccountsDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly outbox: Outbox;
  readonly reactor: Reactor;
  readonly vault: Vault;
  readonly providers: ProviderCatalog;
  readonly subscriptions: SubscriptionKeeper;
  readonly notificationUrlOf: NotificationUrlOf;
  readonly pollMs: number;
}

export interface Accounts {
  list(tenant: string): Promise<Account[]>;
  /** Throws `account.unknown` (not_found) for another tenant's account too. */
  get(at: AccountRef): Promise<Account>;
  /** Stores the account and starts its first fetch. Throws `account.invalid` naming the field that is wrong. */
  create(tenant: string, request: AccountCreate): Promise<Account>;
  /** New settings or credentials are tried at once; ids and cursors stay. */
  update(at: AccountRef, request: AccountUpdate): Promise<Account>;
  pause(at: AccountRef): Promise<Account>;
  resume(at: AccountRef): Promise<Account>;
  /** Destroys the credential and tells the log; the view follows. Idempotent. */
  remove(at: AccountRef): Promise<void>;
}

interface AccountRow extends WebhookRow {
  id: string;
  tenant: string;
  provider: string;
  name: string;
  settings: unknown;
  state: AccountState;
  reason: string | null;
  credentialVersion: number;
  createdAt: Date;
  scopes: number;
  scopesBackfilled: number;
  failure: { failure: FailureClass; code: string; message: string; at: string } | null;
  attempts: number | null;
  retryAt: Date | null;
}

/** Each account with the worst of its scopes' failures: the one with the most tries. */
const SELECT_ACCOUNTS = `
SELECT a.id, a.tenant, a.provider, a.name, a.settings, a.state, a.reason, a.created_at AS "createdAt",
       a.credential_version AS "credentialVersion",
       s.scopes, s.backfilled AS "scopesBackfilled", f.failure, f.attempts, f.retry_at AS "retryAt",
       w.expires_at AS "webhookUntil", w.failure->>'message' AS "webhookFailure"
  FROM control.account a
 CROSS JOIN LATERAL (SELECT count(*)::int AS scopes, (count(*) FILTER (WHERE backfilled))::int AS backfilled
                       FROM control.scope WHERE account = a.id AND path IS NOT NULL) s
  LEFT JOIN control.subscription w ON w.account = a.id
  LEFT JOIN LATERAL (SELECT failure, attempts, retry_at FROM control.scope
                      WHERE account = a.id AND failure IS NOT NULL ORDER BY attempts DESC LIMIT 1) f ON true
 WHERE a.tenant = $1 AND a.removed_at IS NULL AND ($2::uuid IS NULL OR a.id = $2)
 ORDER BY a.id`;

export function createAccounts(deps: AccountsDeps): Accounts {
  const { bus, db, outbox, reactor, vault, providers, subscriptions, pollMs } = deps;

  async function get(at: AccountRef): Promise<Account> {
    const [row] = await db.query<AccountRow>(SELECT_ACCOUNTS, [at.tenant, at.account]);
    if (!row) throw unknown(at);
    return toAccount(row);
  }

  function toAccount(row: AccountRow): Account {
    const { push } = providers.get(row.provider);
    return {
      id: row.id,
      tenant: row.tenant,
      provider: row.provider,
      name: row.name,
      state: row.state,
      reason: row.reason,
      settings: row.settings,
      push,
      webhook:
        push === 'webhook' ? describeWebhook(row, deps.notificationUrlOf(row.provider), new Date()) : null,
      createdAt: row.createdAt.toISOString(),
      scopes: row.scopes,
      scopesBackfilled: row.scopesBackfilled,
      failure: row.failure && {
        failure: row.failure.failure,
        code: row.failure.code,
        message: row.failure.message,
        at: row.failure.at,
        attempts: row.attempts ?? 0,
        retryAt: row.retryAt?.toISOString() ?? null,
      },
    };
  }

  async function own(sql: Sql, at: AccountRef): Promise<AccountRow> {
    const [row] = await sql.query<AccountRow>(SELECT_ACCOUNTS, [at.tenant, at.account]);
    if (!row) throw unknown(at);
    return row;
  }

  async function change(at: AccountRef, event: SyncEvent): Promise<Account> {
    if (!(await reactor.react(at, event))) throw unknown(at);
    return get(at);
  }

  return {
    get,
    list: async (tenant) => (await db.query<AccountRow>(SELECT_ACCOUNTS, [tenant, null])).map(toAccount),

    async create(tenant, request) {
      const provider = providers.get(request.provider);
      provider.checkSettings(request.settings);
      provider.checkCredential(request.credential);
      const id = uuidv7();
      const name = request.name ?? provider.describe(request.settings);
      const account = { id, tenant, provider: request.provider, name, credentialVersion: 1 };
      const sync = { state: 'connecting', reason: null, scopes: new Map() } as const;
      const list = newMailboxList();
      await db.tx(async (tx) => {
        await tx.query(
          `INSERT INTO control.account (id, tenant, provider, name, settings, state, created_at)
           VALUES ($1, $2, $3, $4, $5, 'connecting', $6)`,
          [id, tenant, request.provider, name, JSON.stringify(request.settings), new Date()],
        );
        await tx.query('INSERT INTO control.credential (account, sealed) VALUES ($1, $2)', [
          id,
          vault.seal(id, request.credential),
        ]);
        await saveChanges(tx, id, sync, { ...sync, scopes: new Map([[list.scope, list]]) });
        await outbox.add(tx, [accountFact(account, 'added', sync)]);
      });
      outbox.wake();
      const at = { tenant, account: id };
      await schedulePoll(bus, at, pollMs);
      await subscriptions.handle(at, { kind: 'due' });
      await reactor.repeat(at);
      return change(at, { kind: 'hint', reason: 'user' });
    },

    async update(at, request) {
      const connects = request.settings !== undefined || request.credential !== undefined;
      await db.tx(async (tx) => {
        const row = await own(tx, at);
        const provider = providers.get(row.provider);
        if (request.settings !== undefined) provider.checkSettings(request.settings);
        if (request.credential !== undefined) {
          provider.checkCredential(request.credential);
          await tx.query('UPDATE control.credential SET sealed = $2 WHERE account = $1', [
            row.id,
            vault.seal(row.id, request.credential),
          ]);
        }
        await tx.query(
          `UPDATE control.account SET name = coalesce($2, name), settings = coalesce($3, settings),
                  credential_version = credential_version + $4 WHERE id = $1`,
          [
            row.id,
            request.name ?? null,
            request.settings === undefined ? null : JSON.stringify(request.settings),
            connects ? 1 : 0,
          ],
        );
        await outbox.add(tx, [accountFact({ ...row, name: request.name ?? row.name }, 'updated', row)]);
      });
      outbox.wake();
      return connects ? change(at, { kind: 'reconfigured' }) : get(at);
    },

    pause: (at) => change(at, { kind: 'paused' }),
    resume: (at) => change(at, { kind: 'resumed' }),

    async remove(at) {
      await subscriptions.end(at);
      const removed = await db.tx(async (tx) => {
        const [row] = await tx.query<AccountRow>(SELECT_ACCOUNTS, [at.tenant, at.account]);
        if (!row) return null;
        await tx.query(
          `UPDATE control.account SET removed_at = now(), state = 'removed', settings = '{}' WHERE id = $1`,
          [row.id],
        );
        await tx.query('DELETE FROM control.credential WHERE account = $1', [row.id]);
        await tx.query('DELETE FROM control.scope WHERE account = $1', [row.id]);
        await tx.query('DELETE FROM control.subscription WHERE account = $1', [row.id]);
        await outbox.add(tx, [accountFact(row, 'removed', { state: 'removed', reason: null })]);
        return row;
      });
      if (!removed) throw unknown(at);
      outbox.wake();
      await bus.cancelSchedule(at, 'poll');
      await bus.cancelSchedule(at, 'retry');
      await bus.withdraw('WATCH', subjects.watch(removed.provider, removed.id));
    },
  };
}

function unknown(at: AccountRef): AppError {
  return new AppError(
    'account.unknown',
    'not_found',
    `there is no account ${at.account}; GET /v1/accounts lists them`,
  );
}
