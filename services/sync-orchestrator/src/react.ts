/** Turns something that happened to an account into saved rows, jobs, schedules and facts: `decide` with its I/O around it. */
import { randomUUID } from 'node:crypto';
import type { Bus } from '@mailstream/bus';
import {
  type AccountChanged,
  type AccountRef,
  type AccountState,
  type AccountVerb,
  EVENT_TYPES,
  type FetchJob,
  partitionOf,
  type Spending,
  subjects,
  type WatchLease,
} from '@mailstream/contracts';
import type { Sql, TenantDb, Tx } from '@mailstream/db';
import type { Emission } from '@mailstream/fold';
import {
  type AccountRow,
  type Locked,
  lockAccounts,
  readAccounts,
  saveChanges,
} from './accounts/sync-rows.ts';
import { decide, type SyncEffect, type SyncEvent } from './domain/decide.ts';
import { isActive, verbOf } from './domain/lifecycle.ts';
import type { SyncLimits } from './domain/start.ts';
import type { SyncState } from './domain/state.ts';
import { schedulePoll } from './poll.ts';

/** Facts this service says outside its fold: added inside a transaction, published after it committed. */
export interface Outbox {
  add(tx: Tx, emissions: readonly Emission[]): Promise<void>;
  wake(): void;
}

export interface ReactorDeps {
  readonly bus: Bus;
  /** Where the rows of a tenant's accounts are read and written. */
  readonly dbOf: (tenant: string) => Pick<TenantDb, 'tx'>;
  readonly outbox: Outbox;
  readonly limits: SyncLimits;
  /** Whether the projector keeps up with this account's partition. */
  readonly backfillAllowed: (account: string) => Promise<boolean>;
  /** What all accounts of a provider spent of their allowance in the last minute, about. */
  readonly projectUnits: (provider: string) => Promise<number>;
  readonly pushOf: (provider: string) => 'webhook' | 'idle' | 'none';
}

/** What a decision wants from the bus, to be done after its transaction has committed. */
export interface Pending {
  readonly account: AccountRow;
  readonly before: SyncState;
  readonly after: SyncState;
  readonly effects: readonly SyncEffect[];
}

export interface Reactor {
  /** Decides on one event for one account and acts on it; `alongside` is done in the same transaction. False when there is no such account. */
  react(at: AccountRef, event: SyncEvent, alongside?: (tx: Tx) => Promise<void>): Promise<boolean>;
  /** Decides on events of several accounts inside a caller's transaction; pass the result to `act` after the commit. */
  decideAll(tx: Tx, events: ReadonlyMap<string, readonly SyncEvent[]>): Promise<readonly Pending[]>;
  /** Publishes jobs, schedules and leases. Safe to repeat. */
  act(pending: Pending): Promise<void>;
  /** Offers again what was promised but may never have been published: the process died between commit and publish. */
  repeat(at: AccountRef): Promise<void>;
  /** Watches, subscribes and polls all active accounts of a partition again: with the log, leases and schedules may be lost. Safe to repeat. */
  rearm(sql: Sql, partition: number): Promise<void>;
}

export function createReactor(deps: ReactorDeps): Reactor {
  const { bus, dbOf, outbox, limits, backfillAllowed, projectUnits, pushOf } = deps;

  async function decideAll(
    tx: Tx,
    events: ReadonlyMap<string, readonly SyncEvent[]>,
  ): Promise<readonly Pending[]> {
    const locked = await lockAccounts(tx, [...events.keys()]);
    const pending: Pending[] = [];
    for (const [id, list] of events) {
      const known = locked.get(id);
      if (!known) continue;
      pending.push(await decideOne(tx, known, list));
    }
    return pending;
  }

  async function decideOne(
    tx: Tx,
    { account, sync }: Locked,
    events: readonly SyncEvent[],
  ): Promise<Pending> {
    const context = {
      now: new Date(),
      random: Math.random(),
      backfillAllowed: !mayImport(sync, events) || (await backfillAllowed(account.id)),
      limits,
    };
    let after = sync;
    const effects: SyncEffect[] = [];
    for (const event of events) {
      const decision = decide(after, event, { ...context, runSeed: randomUUID() });
      after = decision.state;
      effects.push(...decision.effects);
    }
    await saveChanges(tx, account.id, sync, after);
    const told = effects.flatMap((effect) =>
      effect.kind === 'state' ? [accountFact(account, verbOf(effect.from, effect.to), effect)] : [],
    );
    await outbox.add(tx, told);
    return { account, before: sync, after, effects };
  }

  async function act({ account, before, after, effects }: Pending): Promise<void> {
    const at = { tenant: account.tenant, account: account.id };
    const perform = async (effect: SyncEffect) => {
      switch (effect.kind) {
        case 'job':
          return offerJob(account, after.spending, effect);
        case 'wake':
          return bus.schedule(at, 'retry', { at: effect.at }, subjects.hint(at, 'retry'));
        case 'state':
          return outbox.wake();
        default:
          return effect satisfies never;
      }
    };
    // Together: each waits for the server's disk, and none for another.
    await Promise.all(effects.map(perform));
    if (isActive(before.state) !== isActive(after.state)) await watch(account, isActive(after.state));
    // While it was not looked at, nobody renewed it.
    if (!isActive(before.state) && isActive(after.state)) await subscribe(account, 'renew');
  }

  /** A job that is on offer or held already for this scope is left as it is: one fetch per scope. */
  async function offerJob(
    account: AccountRow,
    spending: Spending | null,
    effect: Omit<Extract<SyncEffect, { kind: 'job' }>, 'kind'>,
  ): Promise<void> {
    const job: FetchJob = {
      run: effect.run,
      tenant: account.tenant,
      account: account.id,
      provider: account.provider,
      scope: effect.scope,
      address: effect.address,
      lane: effect.lane,
      reason: effect.reason,
      credentialVersion: account.credentialVersion,
      attempt: effect.attempt,
      ...(spending && {
        spentSoFar: { spent: spending.spent, projectUnits: await projectUnits(account.provider) },
      }),
    };
    await bus.offer('FETCH', subjects.job(account.provider, effect.lane, account.id, effect.scope), job);
  }

  async function watch(account: AccountRow, on: boolean): Promise<void> {
    if (pushOf(account.provider) !== 'idle') return;
    const subject = subjects.watch(account.provider, account.id);
    const lease: WatchLease = {
      tenant: account.tenant,
      account: account.id,
      provider: account.provider,
      credentialVersion: account.credentialVersion,
    };
    if (on) await bus.offer('WATCH', subject, lease);
    else await bus.withdraw('WATCH', subject);
  }

  async function subscribe(account: AccountRow, event: 'due' | 'renew'): Promise<void> {
    if (pushOf(account.provider) !== 'webhook') return;
    const at = { tenant: account.tenant, account: account.id };
    await bus.publish({ subject: subjects.subscription(at, event), data: {} });
  }

  return {
    decideAll,
    act,
    async react(at, event, alongside) {
      const pending = await dbOf(at.tenant).tx(async (tx) => {
        const known = (await lockAccounts(tx, [at.account])).get(at.account);
        if (known?.account.tenant !== at.tenant) return null;
        await alongside?.(tx);
        return decideOne(tx, known, [event]);
      });
      if (!pending) return false;
      await act(pending);
      return true;
    },
    async repeat(at) {
      const locked = await dbOf(at.tenant).tx((tx) => lockAccounts(tx, [at.account]));
      const known = locked.get(at.account);
      if (!known || known.account.tenant !== at.tenant) return;
      await watch(known.account, isActive(known.sync.state));
      for (const { scope, address, inFlight, attempts } of known.sync.scopes.values()) {
        const again = { scope, address, reason: 'retry', attempt: attempts + 1 } as const;
        if (inFlight) await offerJob(known.account, known.sync.spending, { ...again, ...inFlight });
      }
    },
    async rearm(sql, partition) {
      const accounts = await readAccounts(sql);
      const active = accounts.filter(
        ({ id, state }) => isActive(state) && Number(partitionOf(id)) === partition,
      );
      await Promise.all(
        active.flatMap((account) => [
          watch(account, true),
          subscribe(account, 'due'),
          schedulePoll(bus, { tenant: account.tenant, account: account.id }, limits.pollMs),
        ]),
      );
    },
  };
}

/** Whether a decision could start an import: only then it matters whether one is allowed, which costs a look at two servers to know. */
function mayImport({ scopes }: SyncState, events: readonly SyncEvent[]): boolean {
  return (
    events.some(({ kind }) => kind !== 'hint') || [...scopes.values()].some((scope) => !scope.backfilled)
  );
}

/** The fact that says how an account stands now, and how it stood before where that is another state. */
export function accountFact(
  account: Pick<AccountRow, 'id' | 'tenant' | 'provider' | 'name'>,
  verb: AccountVerb,
  {
    from,
    to,
    reason,
  }: { readonly from: AccountState; readonly to: AccountState; readonly reason: string | null },
): Emission {
  const { provider, name } = account;
  const data: AccountChanged = { verb, provider, name, ...(from !== to && { from }), state: to, reason };
  return {
    to: 'mail',
    tenant: account.tenant,
    account: account.id,
    fact: `account.${verb}`,
    type: EVENT_TYPES.accountChanged,
    data,
  };
}
