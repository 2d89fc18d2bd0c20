/** Lets what is old enough in the audit trail expire. */
import type { Db } from '@mailstream/db';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';

const EVERY_MS = 3_600_000;

/** `days`: how long an entry is kept; 30 at least, which the database insists on too. */
export function createAuditExpiry(deps: {
  readonly db: Db;
  readonly logger: Logger;
  readonly days: number;
}): Part {
  const { db, logger, days } = deps;
  async function expire(): Promise<void> {
    const [row] = await db.query<{ expired: bigint }>('SELECT control.expire_audit($1) AS expired', [days]);
    if (row && row.expired > 0n) logger.info({ expired: Number(row.expired), days }, 'audit entries expired');
  }
  return {
    name: 'audit expiry',
    async run(signal) {
      while (!signal.aborted) {
        await expire().catch((error: unknown) =>
          logger.warn({ err: error }, `old audit entries could not expire: ${messageOf(error)}`),
        );
        await pause(EVERY_MS, signal);
      }
    },
  };
}
