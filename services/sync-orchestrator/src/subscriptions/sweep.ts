/** The safety net of subscriptions: those that no schedule reached, those for another address, and a gateway that was told too few. */
import type { Bus } from '@mailstream/bus';
import type { Db } from '@mailstream/db';
import { type Logger, type Metrics, messageOf, type Part, pause } from '@mailstream/runtime';
import type { DestinationOf } from './destinations.ts';
import type { SubscriptionKeeper } from './keeper.ts';
import { countLapsing, countSubscriptions, readMoved, readNeglected } from './rows.ts';

export interface SubscriptionSweepDeps {
  readonly bus: Pick<Bus, 'state'>;
  readonly db: Db;
  readonly keeper: SubscriptionKeeper;
  readonly logger: Logger;
  /** Providers with webhooks. */
  readonly providers: readonly string[];
  readonly destinationOf: DestinationOf;
  readonly metrics: Metrics;
  readonly sweepMs: number;
}

/** A schedule may be late by this, milliseconds. */
const PATIENCE_MS = 60_000;
/** Subscriptions are renewed days before they end: one that is this near to it is in trouble, milliseconds. */
const ALARM_MS = 24 * 60 * 60_000;

/** On start, and then each `sweepMs`. */
export function createSubscriptionSweep(deps: SubscriptionSweepDeps): Part {
  const { bus, db, keeper, logger, providers, destinationOf, metrics, sweepMs } = deps;
  const served = providers.flatMap((provider) => {
    const { url } = destinationOf(provider);
    return url === null ? [] : [{ provider, url }];
  });
  const names = served.map(({ provider }) => provider);
  let lapsing: ReadonlyMap<string, number> = new Map();
  metrics.observe('mailstream.subscriptions.lapsing', () =>
    names.map((provider) => [{ provider }, lapsing.get(provider) ?? 0] as const),
  );

  /** The address is configuration: it changes with a restart. */
  async function renewMoved(): Promise<void> {
    for (const { provider, url } of served)
      for (const at of await readMoved(db, provider, url)) await keeper.handle(at, { kind: 'renew' });
  }

  async function sweep(): Promise<void> {
    lapsing = await countLapsing(db, new Date(Date.now() + ALARM_MS));
    for (const at of await readNeglected(db, names, new Date(Date.now() - PATIENCE_MS)))
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
