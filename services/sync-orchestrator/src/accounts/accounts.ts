/** Accounts as people manage them: added, changed, paused, resumed, removed; each change is a fact on the log. */

import type { Bus } from '@mailstream/bus';
import {
  type Account,
  type AccountCreate,
  type AccountRef,
  type AccountUpdate,
  REMOVAL_STEPS,
  uuidv7,
} from '@mailstream/contracts';
import type { Sql, Tenants } from '@mailstream/db';
import type { Consented } from '@mailstream/providers';
import { AppError } from '@mailstream/runtime';
import { type Caller, type Deed, recordDeed } from '../audit/trail.ts';
import { toKeep } from '../credentials/access-tokens.ts';
import type { Vault } from '../credentials/vault.ts';
import type { SyncEvent } from '../domain/decide.ts';
import { newMailboxList } from '../domain/state.ts';
import { schedulePoll } from '../poll.ts';
import { accountFact, type Outbox, type Reactor } from '../react.ts';
import type { DestinationOf } from '../subscriptions/destinations.ts';
import type { SubscriptionKeeper } from '../subscriptions/keeper.ts';
import { type AccountRow, isSignedIn, pathToConnect, SELECT_ACCOUNTS, toAccount } from './account-rows.ts';
import type { KnownProvider, ProviderCatalog } from './provider-catalog.ts';
import { saveChanges } from './sync-rows.ts';

export interface AccountsDeps {
  readonly bus: Bus;
  readonly tenants: Tenants;
  readonly outbox: Outbox;
  readonly reactor: Reactor;
  readonly vault: Vault;
  readonly providers: ProviderCatalog;
  readonly subscriptions: SubscriptionKeeper;
  readonly destinationOf: DestinationOf;
  readonly pollMs: number;
}

/** What a caller does is in the audit trail. */
export interface Accounts {
  list(tenant: string): Promise<Account[]>;
  /** Throws `account.unknown` (not_found) for another tenant's account too. */
  get(at: AccountRef): Promise<Account>;
  /**
   * Stores the account and starts its first fetch; a mailbox that is known to be connected already gets the new credential instead (`added`
   * is false). Throws `account.invalid` naming the field that is wrong.
   */
  create(by: Caller, request: AccountCreate): Promise<{ account: Account; added: boolean }>;
  /**
   * The account of a person who signed in: a new one, or theirs with the new credential. `expected` is the one that was to be connected again:
   * throws `connect.other_owner` when it is somebody else's.
   */
  adopt(by: Caller, provider: string, consented: Consented, expected: string | null): Promise<Account>;
  /** New settings or credentials are tried at once; ids and cursors stay. */
  update(by: Caller, account: string, request: AccountUpdate): Promise<Account>;
  pause(by: Caller, account: string): Promise<Account>;
  resume(by: Caller, account: string): Promise<Account>;
  /** Begins to remove it: it is not looked at any more, and all the rest is done by `createRemoval`. Idempotent. */
  remove(by: Caller, account: string): Promise<Account>;
}

/** An account to add. `toSeal` is what the vault keeps of its credential. */
interface Given {
  readonly provider: string;
  /** Null when nobody can say whose mailbox it is: then it may be connected twice. */
  readonly owner: string | null;
  readonly name: string;
  readonly settings: unknown;
  readonly toSeal: unknown;
}

/** What is undefined stays. */
interface Changes {
  readonly name?: string | undefined;
  readonly settings?: unknown;
  readonly toSeal?: unknown;
}

export function createAccounts(deps: AccountsDeps): Accounts {
  const { bus, tenants, outbox, reactor, vault, providers, subscriptions, pollMs } = deps;

  const shown = (row: AccountRow) =>
    toAccount(row, providers.get(row.provider), deps.destinationOf(row.provider));

  async function get(at: AccountRef): Promise<Account> {
    const [row] = await tenants.of(at.tenant).query<AccountRow>(SELECT_ACCOUNTS, [at.tenant, at.account]);
    if (!row) throw unknown(at);
    return shown(row);
  }

  async function own(sql: Sql, at: AccountRef): Promise<AccountRow> {
    const [row] = await sql.query<AccountRow>(SELECT_ACCOUNTS, [at.tenant, at.account]);
    if (!row) throw unknown(at);
    if (row.removal) throw goes(row);
    return row;
  }

  /** Adds an account, or gives the one of this owner its new settings and credential. */
  async function put(by: Caller, given: Given): Promise<{ account: Account; added: boolean }> {
    const { tenant } = by;
    const { provider, owner, name, settings, toSeal } = given;
    const id = uuidv7();
    const at = { tenant, account: id };
    const account = { id, tenant, provider, name, credentialVersion: 1 };
    const sync = { state: 'connecting', reason: null, spending: null, scopes: new Map() } as const;
    const list = newMailboxList();
    const { keyId, dataKey, sealed } = await vault.seal({ kind: 'credential', of: id }, toSeal);
    const added = await tenants.of(tenant).tx(async (tx) => {
      const inserted = await tx.query(
        `INSERT INTO control.account (id, tenant, provider, owner, name, settings, state, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'connecting', $7)
             ON CONFLICT (tenant, provider, owner) WHERE removed_at IS NULL DO NOTHING RETURNING id`,
        [id, tenant, provider, owner, name, JSON.stringify(settings), new Date()],
      );
      if (inserted.length === 0) return false;
      await tx.query(
        'INSERT INTO control.credential (account, key_id, data_key, sealed) VALUES ($1, $2, $3, $4)',
        [id, keyId, dataKey, sealed],
      );
      await saveChanges(tx, id, sync, { ...sync, scopes: new Map([[list.scope, list]]) });
      await outbox.add(tx, [
        accountFact(account, 'added', { from: 'connecting', to: 'connecting', reason: null }),
      ]);
      await recordDeed(tx, by, { action: 'account.connected', account: id, detail: { provider, name } });
      return true;
    });
    if (!added) {
      const [known] = await tenants
        .of(tenant)
        .query<{ id: string }>(
          'SELECT id FROM control.account WHERE tenant = $1 AND provider = $2 AND owner = $3 AND removed_at IS NULL',
          [tenant, provider, owner],
        );
      // None: it was removed in between, and can be added now.
      if (!known) return put(by, given);
      return { account: await replace(by, known.id, { settings, toSeal }), added: false };
    }
    outbox.wake();
    await schedulePoll(bus, at, pollMs);
    await subscriptions.handle(at, { kind: 'due' });
    await reactor.repeat(at);
    return { account: await change(at, { kind: 'hint', reason: 'user' }), added: true };
  }

  async function replace(by: Caller, id: string, { name, settings, toSeal }: Changes): Promise<Account> {
    const at = { tenant: by.tenant, account: id };
    const connects = settings !== undefined || toSeal !== undefined;
    await tenants.of(by.tenant).tx(async (tx) => {
      const row = await own(tx, at);
      const stored =
        toSeal === undefined ? null : await vault.seal({ kind: 'credential', of: row.id }, toSeal);
      if (stored)
        await tx.query(
          'UPDATE control.credential SET key_id = $2, data_key = $3, sealed = $4 WHERE account = $1',
          [row.id, stored.keyId, stored.dataKey, stored.sealed],
        );
      await tx.query(
        `UPDATE control.account SET name = coalesce($2, name), settings = coalesce($3, settings),
                credential_version = credential_version + $4 WHERE id = $1`,
        [row.id, name ?? null, settings === undefined ? null : JSON.stringify(settings), connects ? 1 : 0],
      );
      await outbox.add(tx, [
        accountFact({ ...row, name: name ?? row.name }, 'updated', {
          from: row.state,
          to: row.state,
          reason: row.reason,
        }),
      ]);
      await recordDeed(tx, by, {
        action: toSeal === undefined ? 'account.updated' : 'account.reauthorised',
        account: row.id,
        detail: {
          ...(name !== undefined && { name }),
          ...(settings !== undefined && { settings: 'changed' }),
        },
      });
    });
    outbox.wake();
    if (!connects) return get(at);
    const account = await change(at, { kind: 'reconfigured' });
    // It ended with a consent that was taken back.
    await subscriptions.handle(at, { kind: 'renew' });
    return account;
  }

  async function change(at: AccountRef, event: SyncEvent): Promise<Account> {
    if (!(await reactor.react(at, event))) throw unknown(at);
    return get(at);
  }

  async function order(
    by: Caller,
    account: string,
    event: SyncEvent,
    action: Deed['action'],
  ): Promise<Account> {
    const at = { tenant: by.tenant, account };
    await own(tenants.of(at.tenant), at);
    const known = await reactor.react(at, event, (tx) => recordDeed(tx, by, { action, account }));
    if (!known) throw unknown(at);
    return get(at);
  }

  return {
    get,
    list: async (tenant) =>
      (await tenants.of(tenant).query<AccountRow>(SELECT_ACCOUNTS, [tenant, null])).map(shown),

    async create(by, request) {
      const { settings, credential } = request;
      const provider = providers.get(request.provider);
      provider.checkSettings(settings);
      provider.checkCredential(credential);
      const name = request.name ?? provider.describe(settings);
      const owner = provider.ownerOf(settings);
      const toSeal = sealable(provider, credential);
      return put(by, { provider: request.provider, owner, name, settings, toSeal });
    },

    async adopt(by, provider, { owner, settings, grant, access }, expected) {
      const row =
        expected === null ? null : await own(tenants.of(by.tenant), { tenant: by.tenant, account: expected });
      const name = providers.get(provider).describe(settings);
      if (row && row.owner !== owner) throw otherOwner(row, name);
      const toSeal = toKeep(grant, access);
      return (await put(by, { provider, owner, name, settings, toSeal })).account;
    },

    async update(by, account, request) {
      const row = await own(tenants.of(by.tenant), { tenant: by.tenant, account });
      const { name, settings, credential } = request;
      if (settings === undefined && credential === undefined) return replace(by, account, { name });
      const provider = providers.get(row.provider);
      if (isSignedIn(row, provider)) throw notTheirs(row);
      if (settings !== undefined) provider.checkSettings(settings);
      if (settings !== undefined && provider.ownerOf(settings) !== row.owner) throw otherMailbox();
      if (credential !== undefined) provider.checkCredential(credential);
      const toSeal = credential === undefined ? undefined : sealable(provider, credential);
      return replace(by, account, { name, settings, toSeal });
    },

    pause: (by, account) => order(by, account, { kind: 'paused' }, 'account.paused'),
    resume: (by, account) => order(by, account, { kind: 'resumed' }, 'account.resumed'),

    async remove(by, account) {
      const at = { tenant: by.tenant, account };
      await tenants.of(at.tenant).tx(async (tx) => {
        const [row] = await tx.query<AccountRow>(SELECT_ACCOUNTS, [at.tenant, at.account]);
        if (!row) throw unknown(at);
        // From here on it is nobody's: no hint, no fact and no sweep finds it.
        const begun = await tx.query(
          `UPDATE control.account SET state = 'removing', reason = NULL, removed_at = now(), removal = $2, removal_since = now()
            WHERE id = $1 AND removed_at IS NULL RETURNING id`,
          [row.id, REMOVAL_STEPS[0]],
        );
        if (begun.length === 0) return;
        await tx.query('DELETE FROM control.scope WHERE account = $1', [row.id]);
        await recordDeed(tx, by, { action: 'account.removed', account: row.id, detail: { name: row.name } });
        const standing = { from: row.state, to: 'removing', reason: null } as const;
        await outbox.add(tx, [accountFact(row, 'updated', standing)]);
      });
      outbox.wake();
      return get(at);
    },
  };
}

function goes({ name }: AccountRow): AppError {
  return new AppError(
    'account.removing',
    'conflict',
    `"${name}" is being removed: wait until it is gone, then connect its mailbox anew`,
  );
}

function unknown(at: AccountRef): AppError {
  return new AppError(
    'account.unknown',
    'not_found',
    `there is no account ${at.account}; GET /v1/accounts lists them`,
  );
}

function sealable({ oauth }: KnownProvider, credential: unknown): unknown {
  return oauth ? toKeep(credential, null) : credential;
}

function otherOwner({ name }: AccountRow, signedIn: string): AppError {
  return new AppError(
    'connect.other_owner',
    'conflict',
    `"${name}" is not the mailbox of ${signedIn}, who signed in: sign in as its owner, or connect this mailbox as an account of its own`,
  );
}

function otherMailbox(): AppError {
  return new AppError(
    'account.invalid',
    'invalid',
    'body/settings name another mailbox: connect it as an account of its own',
  );
}

function notTheirs(row: AccountRow): AppError {
  return new AppError(
    'account.invalid',
    'invalid',
    `settings and credential of this account are those of its owner, who can sign in again: GET ${pathToConnect(row)}`,
  );
}
