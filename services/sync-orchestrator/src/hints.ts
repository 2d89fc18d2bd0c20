/** The work queue of hints and reports: each wakes one account; what is due is in its rows. */
import type { Bus, WorkItem } from '@mailstream/bus';
import {
  FetchReport,
  type HintReason,
  parseSyncSubject,
  type SyncSubject,
  subjects,
} from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import type { Logger, Metrics, Part } from '@mailstream/runtime';
import { Compile } from 'typebox/compile';
import { isRemoved } from './accounts/removed.ts';
import type { SyncEvent } from './domain/decide.ts';
import type { Reactor } from './react.ts';

const report = Compile(FetchReport);
/** What schedules say. */
const SCHEDULED: readonly HintReason[] = ['poll', 'retry'];

/** Consumes `SYNC` for as long as it runs. What it cannot use is parked with the reason, and the rest goes on. */
export function createHintConsumer(deps: {
  bus: Bus;
  db: Db;
  reactor: Reactor;
  logger: Logger;
  metrics: Metrics;
}): Part {
  const { bus, db, reactor, logger, metrics } = deps;
  const ages = metrics.histogram('mailstream.hint.age');

  async function handle(item: WorkItem): Promise<void> {
    const subject = parseSyncSubject(item.subject);
    if (!subject)
      return park(item, 'bad-subject', 'not sync.requested.<tenant>.<account>.<push|user|poll|retry>');
    const event = toEvent(subject, item.data);
    if (typeof event === 'string') return park(item, 'bad-payload', event);
    if (event.kind === 'hint')
      ages.record({ reason: event.reason }, (Date.now() - item.time.getTime()) / 1_000);
    // A redelivery means that a process died while it handled this: what it decided may not have been published.
    if (item.deliveries > 1) await reactor.repeat(subject);
    const known = await reactor.react(subject, event);
    if (!known) {
      // Of one that was removed a schedule may have been left, or set while it went.
      await bus.purge('SYNC', subjects.schedulesOf(subject));
      if (subject.kind === 'fetched' || SCHEDULED.includes(subject.reason) || (await isRemoved(db, subject)))
        logger.debug({ subject: item.subject }, 'of an account that is gone');
      else
        return park(
          item,
          'unknown-account',
          `there is no account ${subject.account} of tenant ${subject.tenant}`,
        );
    }
    await item.ack();
  }

  async function park(item: WorkItem, reason: string, detail: string): Promise<void> {
    logger.warn({ subject: item.subject, reason, detail }, 'hint parked');
    await bus.park(item, reason, detail);
    await item.ack();
  }

  return {
    name: 'hints',
    run: (signal) =>
      bus.work(
        {
          stream: 'SYNC',
          durable: 'orchestrator',
          filter: ['sync.requested.>', 'sync.fetched.>'],
          concurrency: 8,
          holdMs: 5_000,
        },
        handle,
        signal,
      ),
  };
}

function toEvent(subject: SyncSubject, data: Uint8Array): SyncEvent | string {
  if (subject.kind === 'hint') return { kind: 'hint', reason: subject.reason };
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    if (report.Check(value)) return { kind: 'reported', scope: subject.scope, report: value };
    return 'not a fetch report';
  } catch {
    return 'not JSON';
  }
}
