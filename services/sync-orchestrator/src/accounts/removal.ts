/** Removes accounts, step by step. Where it is, is in the account's row: whoever dies in between, the next one goes on. */
import type { Bus } from '@mailstream/bus';
import {
  type AccountRef,
  CHANGE_VERBS,
  type ChangeEntity,
  LANES,
  REMOVAL_STEPS,
  type RemovalStep,
  subjects,
} from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { forgetChains, isOutstanding } from '@mailstream/fold';
import { type Logger, messageOf, type Part, pause } from '@mailstream/runtime';
import { recordDeed } from '../audit/trail.ts';
import { accountFact, type Outbox } from '../react.ts';
import type { SubscriptionKeeper } from '../subscriptions/keeper.ts';
import { wasEmptied } from './removed.ts';

export interface RemovalDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly outbox: Outbox;
  readonly subscriptions: Pick<SubscriptionKeeper, 'end'>;
  readonly logger: Logger;
  /** Called when a step is done and before that is noted; tests let the process die here. */
  readonly reached?: (step: RemovalStep) => Promise<void>;
}

interface Removing extends AccountRef {
  readonly provider: string;
  readonly step: RemovalStep;
  readonly since: Date;
}

/** Until the next look, milliseconds, while there is something to do and while there is not. */
const LOOK_MS = { busy: 100, idle: 500 };
/** After so long without an answer the view is told once more, milliseconds. */
const TELL_AGAIN_MS = 60_000;

const REMOVING = `
SELECT tenant, id::text AS account, provider, removal AS step, removal_since AS since
  FROM control.account WHERE removal IS NOT NULL ORDER BY removed_at LIMIT 100`;

/**
 * Each step may be done twice, and by two at once. The order is such that nothing comes back: who could still fetch loses what it needs to first, the
 * log is emptied last, and a page that lands after that is found by `purgeLate`.
 */
export function createRemoval(deps: RemovalDeps): Part {
  const { bus, db, outbox, subscriptions, logger, reached } = deps;

  /** False: it waits for something. */
  async function perform(of: Removing): Promise<boolean> {
    switch (of.step) {
      case 'jobs':
        await stopFetching(of);
        return true;
      case 'subscription':
        await subscriptions.end(of);
        return true;
      case 'credential':
        await destroyCredential(of);
        return true;
      case 'told':
        await tell(of);
        return true;
      case 'view':
        return isErased(of);
      case 'schedules':
        await stopFetching(of);
        for (const filter of subjects.syncOf(of)) await bus.purge('SYNC', filter);
        return true;
      case 'log':
        return emptyLog(of);
      default:
        return of.step satisfies never;
    }
  }

  async function stopFetching({ provider, account }: Removing): Promise<void> {
    for (const lane of LANES) await bus.purge('FETCH', subjects.jobsOf(provider, lane, account));
    await bus.withdraw('WATCH', subjects.watch(provider, account));
  }

  async function destroyCredential({ account }: Removing): Promise<void> {
    await db.tx(async (tx) => {
      await tx.query(`UPDATE control.account SET settings = '{}', owner = NULL WHERE id = $1`, [account]);
      await tx.query('DELETE FROM control.credential WHERE account = $1', [account]);
      await tx.query('DELETE FROM control.consent WHERE account = $1', [account]);
    });
  }

  /** Without its name: the fact and what is told of it stay longer than the account. */
  async function tell({ tenant, account, provider }: Removing): Promise<void> {
    const standing = { from: 'removing', to: 'removed', reason: null } as const;
    const fact = accountFact({ id: account, tenant, provider, name: '' }, 'removed', standing);
    await db.tx((tx) => outbox.add(tx, [fact]));
    outbox.wake();
  }

  async function isErased(of: Removing): Promise<boolean> {
    if (await bus.last('CHANGES', subjects.change(of, 'account', 'erased'))) return true;
    if (Date.now() - of.since.getTime() > TELL_AGAIN_MS) await note(of, 'told');
    return false;
  }

  async function emptyLog(of: Removing): Promise<boolean> {
    if (await isOutstanding(db, 'control', of.account)) return false;
    await bus.purge('MAIL', subjects.factsOf(of));
    for (const [entity, verb] of CHANGES_TO_PURGE)
      await bus.purge('CHANGES', subjects.change(of, entity, verb));
    return true;
  }

  async function note({ account, step }: Removing, next: RemovalStep): Promise<void> {
    await db.query(
      'UPDATE control.account SET removal = $3, removal_since = now() WHERE id = $1 AND removal = $2',
      [account, step, next],
    );
  }

  /** Nothing is left but the audit trail, and the change that says so. */
  async function finish({ tenant, account }: Removing): Promise<void> {
    await db.tx(async (tx) => {
      const gone = await tx.query('DELETE FROM control.account WHERE id = $1 RETURNING id', [account]);
      await forgetChains(tx, account);
      const by = { tenant, actor: 'sync-orchestrator', ip: null, requestId: null };
      if (gone.length > 0) await recordDeed(tx, by, { action: 'account.erased', account });
    });
  }

  async function remove(of: Removing, signal: AbortSignal): Promise<void> {
    for (const step of REMOVAL_STEPS.slice(REMOVAL_STEPS.indexOf(of.step))) {
      const at = { ...of, step };
      if (signal.aborted || !(await perform(at))) return;
      await reached?.(step);
      const next = REMOVAL_STEPS[REMOVAL_STEPS.indexOf(step) + 1];
      await (next ? note(at, next) : finish(at));
    }
  }

  return {
    name: 'removal',
    async run(signal) {
      while (!signal.aborted) {
        let isBusy = false;
        try {
          const all = await db.query<Removing>(REMOVING);
          isBusy = all.length > 0;
          const ends = await Promise.allSettled(all.map((of) => remove(of, signal)));
          for (const [i, end] of ends.entries())
            if (end.status === 'rejected')
              logger.warn(
                { account: all[i]?.account, err: end.reason },
                `a removal was interrupted and is gone on with: ${messageOf(end.reason)}`,
              );
        } catch (error) {
          logger.warn({ err: error }, `removals could not be gone on with: ${messageOf(error)}`);
        }
        await pause(isBusy ? LOOK_MS.busy : LOOK_MS.idle, signal);
      }
    },
  };
}

const CHANGES_TO_PURGE = (Object.keys(CHANGE_VERBS) as ChangeEntity[])
  .flatMap((entity) => CHANGE_VERBS[entity].map((verb) => [entity, verb] as const))
  .filter(([entity, verb]) => entity !== 'account' || (verb !== 'removed' && verb !== 'erased'));

/** Takes out of the log again what came of accounts after they were removed: of a fetcher that had stalled. Others' are left alone. */
export async function purgeLate(
  { bus, db }: Pick<RemovalDeps, 'bus' | 'db'>,
  candidates: readonly AccountRef[],
): Promise<void> {
  const accounts = new Map(candidates.map((at) => [at.account, at]));
  for (const at of accounts.values())
    if (await wasEmptied(db, at)) await bus.purge('MAIL', subjects.factsOf(at));
}
