/** Keeps each account's subscription to its provider's notifications: `decideSubscription` with its I/O around it. */
import type { Bus } from '@mailstream/bus';
import {
  type AccountRef,
  hashToken,
  type PushTargets,
  type SubscriptionJob,
  subjects,
} from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { type Logger, pause } from '@mailstream/runtime';
import { isActive } from '../domain/lifecycle.ts';
import {
  decideSubscription,
  type Held,
  type SubscriptionHappening,
  type SubscriptionState,
} from '../domain/subscription.ts';
import type { DestinationOf } from './destinations.ts';
import {
  forgetSubscription,
  lockSubscriber,
  readSharers,
  readSubscriptions,
  readTargets,
  type Subscriber,
  type SubscriptionRef,
  saveSubscription,
} from './rows.ts';

export interface KeeperDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly logger: Logger;
  readonly destinationOf: DestinationOf;
  /** What accounts have in common that have one subscription together; null: it has its own. */
  readonly sharedOf: (provider: string, settings: unknown) => string | null;
}

export interface SubscriptionKeeper {
  /** Decides, saves and acts, for the account and those it shares its subscription with. The provider is asked by a fetcher, with no lock held meanwhile. Safe to repeat. */
  handle(at: AccountRef, happening: SubscriptionHappening): Promise<void>;
  /**
   * Of an account that is being removed: has the provider end it, unless others have it together, and if that takes seconds only (without renewal it ends
   * by itself). The account must still have its credential. Then nothing is due for it any more, and the gateway knows. Safe to repeat.
   */
  end(at: AccountRef): Promise<void>;
  /** Tells the gateway all subscriptions again. */
  tellAll(): Promise<void>;
}

interface Kept {
  readonly subscriber: Subscriber;
  readonly held: Held | null;
}

const END_MS = 5_000;
const END_LOOK_MS = 50;
const SCHEDULE = 'subscription';
/** The gateway keeps for ten seconds whom a subscription is about, and tells nobody else meanwhile. */
const GATEWAY_MS = 11_000;
const FIRST_LOOK = 'subscribed';

export function createSubscriptionKeeper(deps: KeeperDeps): SubscriptionKeeper {
  const { bus, db, logger, destinationOf, sharedOf } = deps;

  async function act(
    subscriber: Subscriber,
    notificationUrl: string,
    { state, ask }: { state: SubscriptionState; ask: boolean },
  ): Promise<void> {
    const { provider } = subscriber;
    const { held, dueAt } = state;
    const before = subscriber.subscription?.held;
    for (const id of new Set([held?.id, before?.id])) if (id !== undefined) await tell({ provider, id });
    await db.tx(async (tx) => {
      // Under its lock: whoever removes the account takes off what is there then, and nothing comes after.
      if (!(await lockSubscriber(tx, subscriber))) return;
      await bus.schedule(subscriber, SCHEDULE, { at: dueAt }, subjects.subscription(subscriber, 'due'));
      if (ask) await offer(subscriber, 'keep', questionOf(held, notificationUrl));
    });
  }

  /** The gateway is told what the rows say. */
  async function tell(subscription: SubscriptionRef): Promise<void> {
    const subject = subjects.push(subscription.provider, subscription.id);
    await db.tx(async (tx) => {
      const data: PushTargets = { targets: await readTargets(tx, subscription) };
      if (data.targets.length > 0) await bus.publish({ subject, data });
      else await bus.purge('PUSH', subject);
    });
  }

  /**
   * One that waits or is being done already is left as it is: so the provider is asked one thing at a time about a subscription that accounts
   * have together, and what comes of it is told to all of them.
   */
  async function offer(
    subscriber: Subscriber,
    verb: 'keep' | 'end',
    question: Pick<SubscriptionJob, 'end' | 'keep'>,
  ): Promise<string> {
    const { tenant, account, provider, credentialVersion, settings } = subscriber;
    const shared = sharedOf(provider, settings);
    const subject = subjects.subscriptionJob(provider, shared === null ? account : hashToken(shared), verb);
    const job: SubscriptionJob = { tenant, account, provider, credentialVersion, ...question };
    await bus.offer('FETCH', subject, job);
    return subject;
  }

  /** For this account alone. What it has from now on; null when nothing is to be done for it. */
  async function handleAlone(at: AccountRef, happening: SubscriptionHappening): Promise<Kept | null> {
    const done = await db.tx(async (tx) => {
      const subscriber = await lockSubscriber(tx, at);
      const url = subscriber && destinationOf(subscriber.provider).url;
      // What comes of a question is noted in any case: the subscription is there.
      const wanted = subscriber && (isActive(subscriber.state) || happening.kind === 'reported');
      if (!url || !wanted) return null;
      const context = { now: new Date(), random: Math.random() };
      const decision = decideSubscription(subscriber.subscription, happening, context);
      const shared = sharedOf(subscriber.provider, subscriber.settings);
      await saveSubscription(tx, at.account, shared, decision.state);
      return { subscriber, url, decision };
    });
    if (!done) return null;
    await act(done.subscriber, done.url, done.decision);
    // Nobody was told what happened before it was there.
    if (happening.kind === 'reported' && happening.report.ok && happening.report.secretHash !== null) {
      await bus.publish({ subject: subjects.hint(at, 'user'), data: {} });
      const known = new Date(Date.now() + GATEWAY_MS);
      await bus.schedule(at, FIRST_LOOK, { at: known }, subjects.hint(at, 'user'));
    }
    return { subscriber: done.subscriber, held: done.decision.state.held };
  }

  /** Others for whom what is said of this account's subscription holds as well. */
  function sharersOf(subscriber: Subscriber, id: string): Promise<AccountRef[]> {
    return readSharers(db, subscriber, sharedOf(subscriber.provider, subscriber.settings), id);
  }

  async function handle(at: AccountRef, happening: SubscriptionHappening): Promise<void> {
    const kept = await handleAlone(at, happening);
    if (!kept?.held || happening.kind !== 'reported') return;
    const { report } = happening;
    // A refusal is of who asked, unless it says that what all have is gone.
    if (!report.ok && report.gone !== kept.held.id) return;
    const told = report.ok ? { ...report, secretHash: kept.held.secretHash } : report;
    for (const other of await sharersOf(kept.subscriber, kept.held.id))
      await handleAlone(other, { kind: 'reported', report: told });
  }

  async function endAtProvider(subscriber: Subscriber, id: string): Promise<void> {
    const subject = await offer(subscriber, 'end', { end: id, keep: null });
    const patience = AbortSignal.timeout(END_MS);
    while (!patience.aborted && (await bus.last('FETCH', subject))) await pause(END_LOOK_MS, patience);
    if (patience.aborted)
      logger.warn({ account: subscriber.account }, 'a subscription was left to end by itself');
    await bus.withdraw('FETCH', subject);
    // Who came meanwhile may have lost it.
    for (const other of await sharersOf(subscriber, id)) await handle(other, { kind: 'renew' });
  }

  return {
    handle,

    async end(at) {
      const subscriber = await db.tx((tx) => lockSubscriber(tx, at, true));
      if (!subscriber) return;
      const { provider, settings, account, subscription } = subscriber;
      await bus.purge('SYNC', subjects.schedulesOf(at));
      if (sharedOf(provider, settings) === null)
        await bus.withdraw('FETCH', subjects.subscriptionJob(provider, account, 'keep'));
      const held = subscription?.held;
      // Those that go at the same time are no sharers: they do not leave it to each other.
      if (held && (await sharersOf(subscriber, held.id)).length === 0)
        await endAtProvider(subscriber, held.id);
      await forgetSubscription(db, account);
      if (held) await tell({ provider, id: held.id });
    },

    async tellAll() {
      for (const subscription of await readSubscriptions(db)) await tell(subscription);
    },
  };
}

/** One that tells an old address is ended, and another made. */
function questionOf(held: Held | null, notificationUrl: string): Pick<SubscriptionJob, 'end' | 'keep'> {
  const moved = held !== null && held.notificationUrl !== notificationUrl;
  return {
    end: moved ? held.id : null,
    keep: { known: moved ? null : (held?.id ?? null), notificationUrl },
  };
}
