/** A second fold of the same facts into other tables, that follows a live one in silence and can take its place. */
import type { Bus } from '@mailstream/bus';
import { PARTITIONS, subjects } from '@mailstream/contracts';
import type { Db, Sql, Tx } from '@mailstream/db';
import { AppError, createHealth, createTurns, type Logger } from '@mailstream/runtime';
import { catchUp } from './catch-up.ts';
import { type Checkpoint, readCheckpoints } from './checkpoint-rows.ts';
import { type FoldContext, noStats } from './context.ts';
import { isSameLog, lossesOf } from './epoch.ts';
import { factFilters } from './filters.ts';
import type { FoldDefinition, Scope } from './port.ts';

export interface ShadowOptions {
  readonly bus: Bus;
  /** Its statements reach the other tables. */
  readonly db: Db;
  readonly logger: Logger;
  /** Of the live fold. */
  readonly definition: FoldDefinition;
}

export interface Shadow {
  /** Goes to where the live fold stands now. What was folded stays folded whenever this ends. */
  follow(signal: AbortSignal): Promise<void>;
  /**
   * Holds the live fold where it stands, goes there, and does `work` in the transaction that holds it: both have folded the same, in every partition. Other
   * transactions of the live fold wait meanwhile.
   */
  meet<T>(work: (tx: Tx) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** How many facts are in the log behind where it stands. */
  remaining(): Promise<number>;
  /** Facts folded by this process. */
  events(): number;
}

/** Partitions: one is decoded while another is in a transaction. What each has read ahead is memory. */
const AT_ONCE = 2;

export function createShadow({ bus, db, logger, definition }: ShadowOptions): Shadow {
  const name = shadowOf(definition.name);
  const reading = createTurns(AT_ONCE);
  const context: FoldContext = {
    bus,
    db,
    logger,
    definition: { ...definition, name },
    stats: noStats(),
    seams: {},
    turns: createTurns(AT_ONCE),
    health: createHealth(),
    onLatency: () => undefined,
    silent: true,
  };

  const go = async (live: ReadonlyMap<number, Checkpoint>, signal: AbortSignal) => {
    await Promise.all(
      [...live].map(([partition, until]) => reading(() => catchUp(context, partition, until, signal))),
    );
    signal.throwIfAborted();
  };

  return {
    follow: async (signal) => go(await readCheckpoints(db, definition.name), signal),

    meet: (work, signal) =>
      db.tx(async (tx) => {
        await go(await readCheckpoints(tx, definition.name, 'hold'), signal);
        return work(tx);
      }),

    async remaining() {
      const at = await readCheckpoints(db, name);
      const counts = Array.from({ length: PARTITIONS }, (_, partition) =>
        bus.count('MAIL', factFilters(partition, definition.facts), (at.get(partition)?.position ?? 0n) + 1n),
      );
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    },

    events: () => context.stats.events,
  };
}

/** What the shadow of a fold is called in the rows of the engine. */
function shadowOf(fold: string): string {
  return `${fold}-next`;
}

/** The shadow's chains become the fold's, in the transaction of `meet`; the fold stands where it stood, and tells what comes next. */
export async function takePlace(tx: Tx, fold: string): Promise<void> {
  await tx.query('DELETE FROM fold.chain WHERE fold = $1', [fold]);
  await tx.query('UPDATE fold.chain SET fold = $1 WHERE fold = $2', [fold, shadowOf(fold)]);
  await forgetShadow(tx, fold);
}

/** Of accounts that were removed, which their facts may not say any more. */
export async function forgetShadowChains(sql: Sql, fold: string, accounts: readonly string[]): Promise<void> {
  await sql.query('DELETE FROM fold.chain WHERE fold = $1 AND account = ANY($2)', [shadowOf(fold), accounts]);
}

/** Nothing is left of it but its tables. */
export async function forgetShadow(sql: Sql, fold: string): Promise<void> {
  await sql.query('DELETE FROM fold.chain WHERE fold = $1', [shadowOf(fold)]);
  await sql.query('DELETE FROM fold.checkpoint WHERE fold = $1', [shadowOf(fold)]);
}

/**
 * Throws `fold.log_short` unless folding the log from its beginning gives all that the fold has folded. `accounts` are those it knows and that were not
 * removed. A log is cut at its beginning only, and what is said of an account first is that it was added: where that is kept, all of it is.
 */
export async function requireWholeLog(
  { bus, db }: { readonly bus: Pick<Bus, 'last' | 'state'>; readonly db: Sql },
  fold: string,
  accounts: readonly Omit<Scope, 'scope'>[],
): Promise<void> {
  const [log, live] = await Promise.all([bus.state('MAIL'), readCheckpoints(db, fold)]);
  const positions = [...live.values()];
  if (positions.length < PARTITIONS || positions.some(({ epoch }) => !isSameLog(epoch, log)))
    throw tooShort(
      'the live tables do not follow this log: start the services, and see what `mailstream doctor` says',
    );
  if (positions.some(({ epoch }) => lossesOf(epoch) > 0))
    throw tooShort('the log was lost, cut or put back once, and does not hold all that was folded');
  for (let from = 0; from < accounts.length; from += AT_A_TIME) {
    const some = accounts.slice(from, from + AT_A_TIME);
    const firsts = await Promise.all(some.map((at) => bus.last('MAIL', subjects.fact(at, 'account.added'))));
    const short = some.find((_, n) => firsts[n] === null);
    if (short)
      throw tooShort(
        `the log does not reach back to when account ${short.account} was added: it is kept for a limited time`,
      );
  }
}

/** Messages looked up at once. */
const AT_A_TIME = 100;

function tooShort(why: string): AppError {
  return new AppError('fold.log_short', 'gone', why);
}
