/** The safety net of subscriptions: those that no schedule reached, those for another address, and a gateway that was told too few. */
import type { Bus } from '@mailstream/bus';
import type { Db } from '@mailstream/db';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';
import type { NotificationUrlOf, SubscriptionKeeper } from './keeper.ts';
import { countSubscriptions, readMoved, readNeglected } from './rows.ts';

export interface SubscriptionSweepDeps {
  readonly bus: Pick<Bus, 'state'>;
  readonly db: Db;
  readonly keeper: SubscriptionKeeper;
  readonly logger: Logger;
  /** Providers with webhooks. */
  readonly providers: readonly string[];
  readonly notificationUrlOf: NotificationUrlOf;
  readonly sweepMs: number;
}

/** A schedule may be late by this, milliseconds. */
const PATIENCE_MS = 60_000;

/** On start, and then each `sweepMs`. */
export function createSubscriptionSweep(deps: SubscriptionSweepDeps): Part {
  const { bus, db, keeper, logger, providers, notificationUrlOf, sweepMs } = deps;
  const served = providers.filter((provider) => notificationUrlOf(provider) !== null);

  /** The address is configuration: it changes with a restart. */
  async function renewMoved(): Promise<void> {
    for (const provider of served)
      for (const at of await readMoved(db, provider, notificationUrlOf(provider) ?? ''))
        await keeper.handle(at, { kind: 'renew' });
  }

  async function sweep(): Promise<void> {
    for (const at of await readNeglected(db, served, new Date(Date.now() - PATIENCE_MS)))
      await keeper.handle(at, { kind: 'due' });
    const [there, { messages: told }] = await Promise.all([countSubscriptions(db), bus.state('PUSH')]);
    if (told >= there) return;
    logger.warn({ told, there }, 'the gateway is told all subscriptions again');
    await keeper.tellAll();
  }

  return {
    name: 'subscription sweep',
    async run(signal) {
      // Whoever ran before may have told otherwise.
      let work = () => renewMoved().then(keeper.tellAll).then(sweep);
      while (!signal.aborted) {
        try {
          await work();
          work = sweep;
        } catch (error) {
          logger.warn({ err: error }, `subscriptions could not be looked at: ${messageOf(error)}`);
        }
        await pause(sweepMs, signal);
      }
    },
  };
}
