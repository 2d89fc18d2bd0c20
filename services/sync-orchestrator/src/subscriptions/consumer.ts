/** The work queue of what is said about subscriptions: by schedules, by the gateway, by fetchers. */
import type { Bus, WorkItem } from '@mailstream/bus';
import { parseSubscriptionSubject, SubscriptionReport } from '@mailstream/contracts';
import type { Logger, Part } from '@mailstream/runtime';
import { Compile } from 'typebox/compile';
import type { SubscriptionHappening } from '../domain/subscription.ts';
import type { SubscriptionKeeper } from './keeper.ts';

const validator = Compile(SubscriptionReport);

export function createSubscriptionConsumer(deps: {
  bus: Bus;
  keeper: SubscriptionKeeper;
  logger: Logger;
}): Part {
  const { bus, keeper, logger } = deps;

  async function handle(item: WorkItem): Promise<void> {
    const at = parseSubscriptionSubject(item.subject);
    const happening = at && toHappening(at.event, item.data);
    if (happening) await keeper.handle(at, happening);
    else {
      logger.warn({ subject: item.subject }, 'parked: nothing that is said about a subscription');
      await bus.park(item, 'bad-payload', 'nothing that is said about a subscription');
    }
    await item.ack();
  }

  return {
    name: 'subscriptions',
    run: (signal) =>
      bus.work(
        {
          stream: 'SYNC',
          durable: 'orchestrator-subscriptions',
          filter: 'sync.subscription.>',
          concurrency: 4,
          holdMs: 5_000,
        },
        handle,
        signal,
      ),
  };
}

function toHappening(
  event: NonNullable<ReturnType<typeof parseSubscriptionSubject>>['event'],
  data: Uint8Array,
): SubscriptionHappening | null {
  if (event !== 'reported') return { kind: event };
  try {
    const report: unknown = JSON.parse(new TextDecoder().decode(data));
    return validator.Check(report) ? { kind: event, report } : null;
  } catch {
    return null;
  }
}
