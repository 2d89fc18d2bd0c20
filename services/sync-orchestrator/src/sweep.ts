/** The safety net: finds accounts that no hint has reached for too long, and jobs that keep others out. */
import type { Bus } from '@mailstream/bus';
import { type AccountRef, MAILBOXES_SCOPE } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { type Logger, type Metrics, messageOf, type Part, pause } from '@mailstream/runtime';
import { ACTIVE_STATES } from './domain/lifecycle.ts';
import { schedulePoll } from './poll.ts';
import type { Reactor } from './react.ts';

export interface SweepDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly reactor: Reactor;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly pollMs: number;
  readonly sweepMs: number;
}

/** Accounts whose list of mailboxes was not looked at for two intervals, or with a retry that is overdue. */
const OVERDUE = `
SELECT DISTINCT a.tenant, a.id AS account
  FROM control.account a JOIN control.scope s ON s.account = a.id
 WHERE a.removed_at IS NULL AND a.state = ANY($4::text[])
   AND (s.scope = $1 AND coalesce(s.checked_at, a.created_at) < $2 AND coalesce(s.retry_at, a.created_at) < $3
     OR s.run IS NOT NULL AND s.run_since < $2
     OR s.retry_at < $2)
 LIMIT 1000`;

/** Each `sweepMs`: what is overdue is hinted; it should find nothing. */
export function createSweep({ bus, db, reactor, logger, metrics, pollMs, sweepMs }: SweepDeps): Part {
  const found = metrics.counter('mailstream.sweep.overdue');
  async function sweep(): Promise<void> {
    const kept = await bus.removeAcknowledged('FETCH');
    if (kept > 0)
      logger.warn({ jobs: kept }, 'NATS had kept jobs that were done, and they kept new ones out: removed');
    const now = Date.now();
    const overdue = await db.query<AccountRef>(OVERDUE, [
      MAILBOXES_SCOPE,
      new Date(now - 2 * pollMs),
      new Date(now),
      ACTIVE_STATES,
    ]);
    found.add({}, overdue.length);
    if (overdue.length > 0)
      logger.warn({ accounts: overdue.length }, 'the sweep found accounts that no schedule had woken');
    for (const at of overdue) {
      await schedulePoll(bus, at, pollMs);
      await reactor.react(at, { kind: 'swept' });
    }
  }

  return {
    name: 'sweep',
    async run(signal) {
      while (!signal.aborted) {
        await pause(sweepMs, signal);
        try {
          await sweep();
        } catch (error) {
          logger.warn({ err: error }, `the sweep could not run: ${messageOf(error)}`);
        }
      }
    },
  };
}
