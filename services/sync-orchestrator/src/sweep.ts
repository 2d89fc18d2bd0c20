/** The safety net: finds accounts that no hint has reached for too long, and puts right what a dead process left half-way. */
import type { Bus } from '@mailstream/bus';
import { type AccountRef, MAILBOXES_SCOPE, subjects } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';
import type { Reactor } from './react.ts';

export interface SweepDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly reactor: Reactor;
  readonly logger: Logger;
  readonly pollMs: number;
  readonly sweepMs: number;
}

/** Accounts whose list of mailboxes was not looked at for two intervals, or with a retry that is overdue. */
const OVERDUE = `
SELECT DISTINCT a.tenant, a.id AS account
  FROM control.account a JOIN control.scope s ON s.account = a.id
 WHERE a.removed_at IS NULL AND a.state IN ('connecting', 'backfilling', 'live', 'degraded')
   AND (s.scope = $1 AND coalesce(s.checked_at, a.created_at) < $2 AND coalesce(s.retry_at, a.created_at) < $3
     OR s.run IS NOT NULL AND s.run_since < $2
     OR s.retry_at < $2)
 LIMIT 1000`;

const IN_FLIGHT = `
SELECT DISTINCT a.tenant, a.id AS account
  FROM control.account a JOIN control.scope s ON s.account = a.id
 WHERE a.removed_at IS NULL AND a.state IN ('connecting', 'backfilling', 'live', 'degraded')
   AND (s.run IS NOT NULL OR s.wanted IS NOT NULL OR NOT s.backfilled)`;

/** On start: what a process that died had decided is published again. Then, each `sweepMs`: what is overdue is hinted; it should find nothing. */
export function createSweep({ bus, db, reactor, logger, pollMs, sweepMs }: SweepDeps): Part {
  async function sweep(): Promise<void> {
    const now = Date.now();
    const overdue = await db.query<AccountRef>(OVERDUE, [
      MAILBOXES_SCOPE,
      new Date(now - 2 * pollMs),
      new Date(now),
    ]);
    if (overdue.length > 0)
      logger.warn({ accounts: overdue.length }, 'the sweep found accounts that no schedule had woken');
    for (const at of overdue) {
      await bus.schedule(at, 'poll', { everyMs: pollMs }, subjects.hint(at, 'poll'));
      await reactor.react(at, { kind: 'swept' });
    }
  }

  async function recover(): Promise<void> {
    for (const at of await db.query<AccountRef>(IN_FLIGHT)) {
      await reactor.repeat(at);
      await reactor.react(at, { kind: 'swept' });
    }
  }

  return {
    name: 'sweep',
    async run(signal) {
      let work = recover;
      while (!signal.aborted) {
        try {
          await work();
          work = sweep;
        } catch (error) {
          logger.warn({ err: error }, `the sweep could not run: ${messageOf(error)}`);
        }
        await pause(work === recover ? 1_000 : sweepMs, signal);
      }
    },
  };
}
