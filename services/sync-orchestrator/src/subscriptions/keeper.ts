/** Keeps each account's subscription to its provider's notifications: `decideSubscription` with its I/O around it. */
import type { Bus } from '@mailstream/bus';
import { type AccountRef, type PushTargets, type SubscriptionJob, subjects } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { type Logger, pause } from '@mailstream/runtime';
import { isActive } from '../domain/state.ts';
import {
  decideSubscription,
  type Held,
  type SubscriptionHappening,
  type SubscriptionState,
} from '../domain/subscription.ts';
import {
  forgetSubscription,
  lockSubscriber,
  readSubscriptions,
  readTargets,
  type Subscriber,
  type SubscriptionRef,
  saveSubscription,
} from './rows.ts';

/** The address for a provider's notifications; null where it can send none to us. */
export type NotificationUrlOf = (provider: string) => string | null;

export interface KeeperDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly logger: Logger;
  readonly notificationUrlOf: NotificationUrlOf;
}

export interface SubscriptionKeeper {
  /** Decides, saves and acts. The provider is asked by a fetcher, with no lock held meanwhile. Safe to repeat. */
  handle(at: AccountRef, happening: SubscriptionHappening): Promise<void>;
  /** Has the provider end it, if that takes seconds only: without renewal it ends by itself. The account must still have its credential. */
  end(at: AccountRef): Promise<void>;
  /** Tells the gateway all subscriptions again. */
  tellAll(): Promise<void>;
}

const END_MS = 5_000;
const END_LOOK_MS = 50;
const SCHEDULE = 'subscription';

export function createSubscriptionKeeper(deps: KeeperDeps): SubscriptionKeeper {
  const { bus, db, logger, notificationUrlOf } = deps;

  async function act(
    subscriber: Subscriber,
    notificationUrl: string,
    { state, ask }: { state: SubscriptionState; ask: boolean },
  ): Promise<void> {
    const { provider } = subscriber;
    const { held, dueAt } = state;
    const before = subscriber.subscription?.held;
    for (const id of new Set([held?.id, before?.id])) if (id !== undefined) await tell({ provider, id });
    await bus.schedule(subscriber, SCHEDULE, { at: dueAt }, subjects.subscription(subscriber, 'due'));
    if (ask) await offer(subscriber, 'keep', questionOf(held, notificationUrl));
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

  /** One that waits or is being done already is left as it is. */
  async function offer(
    subscriber: Subscriber,
    verb: 'keep' | 'end',
    question: Pick<SubscriptionJob, 'end' | 'keep'>,
  ): Promise<string> {
    const { tenant, account, provider, credentialVersion } = subscriber;
    const subject = subjects.subscriptionJob(provider, account, verb);
    const job: SubscriptionJob = { tenant, account, provider, credentialVersion, ...question };
    await bus.offer('FETCH', subject, job);
    return subject;
  }

  return {
    async handle(at, happening) {
      const done = await db.tx(async (tx) => {
        const subscriber = await lockSubscriber(tx, at);
        const url = subscriber && notificationUrlOf(subscriber.provider);
        // What comes of a question is noted in any case: the subscription is there.
        const wanted = subscriber && (isActive(subscriber.state) || happening.kind === 'reported');
        if (!url || !wanted) return null;
        const context = { now: new Date(), random: Math.random() };
        const decision = decideSubscription(subscriber.subscription, happening, context);
        await saveSubscription(tx, at.account, decision.state);
        return { subscriber, url, decision };
      });
      if (!done) return;
      await act(done.subscriber, done.url, done.decision);
      // Nobody was told what happened before it was there.
      if (happening.kind === 'reported' && happening.report.ok && happening.report.secretHash !== null)
        await bus.publish({ subject: subjects.hint(at, 'user'), data: {} });
    },

    async end(at) {
      const subscriber = await db.tx((tx) => lockSubscriber(tx, at));
      const held = subscriber?.subscription?.held;
      if (!subscriber || !held) return;
      const subject = await offer(subscriber, 'end', { end: held.id, keep: null });
      const patience = AbortSignal.timeout(END_MS);
      while (!patience.aborted && (await bus.last('FETCH', subject))) await pause(END_LOOK_MS, patience);
      if (patience.aborted) logger.warn({ account: at.account }, 'a subscription was left to end by itself');
      await bus.withdraw('FETCH', subject);
      await bus.cancelSchedule(at, SCHEDULE);
      await forgetSubscription(db, at.account);
      await tell({ provider: subscriber.provider, id: held.id });
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
