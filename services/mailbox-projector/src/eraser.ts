/** Deletes what the view has of removed accounts, in batches, and says when nothing is left. */
import type { AccountView } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { isOutstanding, type Outbox } from '@mailstream/fold';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';
import { ERASE_SOME } from './projections/accounts/erase-account.sql.ts';
import { accountView } from './projections/accounts/projection.ts';
import { loadAccounts } from './projections/accounts/queries.ts';

export interface EraserDeps {
  readonly db: Db;
  readonly outbox: Pick<Outbox, 'add' | 'wake'>;
  readonly logger: Logger;
  /** Messages in one transaction. */
  readonly batch?: number;
}

const BATCH = 2_000;
const LOOK_MS = 1_000;

/** The fold only notes the removal: it waits for nothing, and no other account waits for it. Safe to run more than once, and to be killed. */
export function createEraser({ db, outbox, logger, batch = BATCH }: EraserDeps): Part {
  async function erase(account: string, signal: AbortSignal): Promise<void> {
    for (let erased = 1; erased > 0 && !signal.aborted; )
      erased = (await db.query<{ erased: number }>(ERASE_SOME, [account, batch]))[0]?.erased ?? 0;
    // What was said of it before comes before this in CHANGES.
    if (signal.aborted || (await isOutstanding(db, 'projector', account))) return;
    await db.tx(async (tx) => {
      const done = await tx.query(
        'update account set to_erase = false where account = $1 and to_erase returning account',
        [account],
      );
      const [row] = await loadAccounts(tx, [account]);
      if (done.length === 0 || !row) return;
      const { tenant, version } = row;
      const state: AccountView = accountView(row);
      const data = { version: String(version), origin: null, changed: [], state };
      await outbox.add(tx, [
        { to: 'changes', tenant, account, entity: 'account', verb: 'erased', data, sequence: version },
      ]);
    });
    outbox.wake();
  }

  return {
    name: 'eraser',
    async run(signal) {
      while (!signal.aborted) {
        try {
          const rows = await db.query<{ account: string }>('select account from account where to_erase');
          for (const { account } of rows) await erase(account, signal);
        } catch (error) {
          logger.warn({ err: error }, `removed accounts could not be erased: ${messageOf(error)}`);
        }
        await pause(LOOK_MS, signal);
      }
    },
  };
}
