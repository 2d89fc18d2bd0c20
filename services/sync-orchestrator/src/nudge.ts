/** Publishes again what was decided and may never have been published, so that no fetch waits for a job that is not there. */
import type { AccountRef } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';
import { ACTIVE_STATES } from './domain/lifecycle.ts';
import type { Reactor } from './react.ts';

export interface NudgeDeps {
  readonly db: Db;
  readonly reactor: Pick<Reactor, 'react' | 'repeat'>;
  readonly logger: Logger;
}

/** Accounts in which something should move; in any order, so that none is passed over for ever where they are more than the limit. */
const UNMOVED = `
SELECT a.tenant, a.id AS account
  FROM control.account a
 WHERE a.removed_at IS NULL AND a.state = ANY($4::text[])
   AND EXISTS (SELECT FROM control.scope s
                WHERE s.account = a.id AND coalesce(s.retry_at, $1) <= $1 AND coalesce(s.run_since, $2) <= $2
                  AND (s.run IS NOT NULL OR s.wanted IS NOT NULL OR NOT s.backfilled))
 ORDER BY random() LIMIT $3`;

const EVERY_MS = 3_000;
/** A fetch under way for less is not looked at, milliseconds. If one that is looked at still is, its job is not offered a second time. */
const PATIENCE_MS = 3_000;
/** Accounts at a time. */
const LIMIT = 100;

/**
 * Jobs and schedules go out after the commit that promised them, and then may not: the process died in between, NATS was away, or PostgreSQL
 * died with the commit done but not confirmed. On start all that is unfinished is published again, later what has not moved for a while.
 */
export function createNudge({ db, reactor, logger }: NudgeDeps): Part {
  async function nudge(limit: number | null, patienceMs: number): Promise<void> {
    const now = Date.now();
    const unmoved = await db.query<AccountRef>(UNMOVED, [
      new Date(now),
      new Date(now - patienceMs),
      limit,
      ACTIVE_STATES,
    ]);
    for (const at of unmoved) {
      await reactor.repeat(at);
      await reactor.react(at, { kind: 'swept' });
    }
  }

  return {
    name: 'nudge',
    async run(signal) {
      let work = () => nudge(null, 0);
      while (!signal.aborted) {
        try {
          await work();
          work = () => nudge(LIMIT, PATIENCE_MS);
        } catch (error) {
          logger.warn({ err: error }, `unfinished work could not be published again: ${messageOf(error)}`);
        }
        await pause(EVERY_MS, signal);
      }
    },
  };
}
