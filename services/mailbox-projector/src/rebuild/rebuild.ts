/** Builds the view anew from the log beside the live one, compares the two, and puts the new one in its place while reads and folds go on. */
import type { Bus } from '@mailstream/bus';
import type { Difference } from '@mailstream/contracts';
import { createDb, type Db, migrate } from '@mailstream/db';
import {
  beginRebuild,
  createShadow,
  forgetRebuild,
  forgetShadow,
  type RebuildProgress,
  readRebuild,
  requireWholeLog,
  type Shadow,
  saveRebuild,
  takePlace,
} from '@mailstream/fold';
import { AppError, type Logger, pause } from '@mailstream/runtime';
import { migrateProjector, VIEW_SCHEMA } from '../migrate.ts';
import { projector } from '../projector.ts';
import { compareTables } from './compare.ts';
import { adoptRemoved, dropNext, exchangeTables, NEXT, readTables } from './tables.ts';

export interface RebuildOptions {
  readonly bus: Bus;
  /** The login that owns the tables. */
  readonly ownerUrl: string;
  readonly logger: Logger;
  /** Put the new tables in place of the live ones even where they are not the same. */
  readonly acceptDifferences: boolean;
  /** Called about once a second, and at each stage. */
  readonly onProgress: (progress: RebuildProgress) => void;
  /** Where a test may look, or end it. */
  readonly reach?: (stage: RebuildProgress['stage']) => Promise<void> | void;
}

export interface Rebuilt {
  /** Whether the new tables are the live ones now. */
  readonly swapped: boolean;
  readonly differences: readonly Difference[];
  readonly events: number;
}

const { name: FOLD } = projector;

/** The new tables are near enough for the live fold to be held while they come to where it stands. */
const NEAR_EVENTS = 500;
const TICK_MS = 1_000;
/** The exchange is tried again for so long when somebody reads without end, milliseconds. */
const BUSY_MS = 120_000;
const CONNECTIONS = 8;
/** Comparing millions of rows is one statement. */
const STATEMENT_MS = 3_600_000;

/**
 * Goes on where an interrupted one was. Without agreement and without leave to differ it ends with the new tables in place beside the live ones:
 * calling it again catches up, compares and decides anew. Throws `fold.log_short`, `rebuild.running`, `rebuild.busy`, `rebuild.dependents`.
 */
export async function rebuildView(options: RebuildOptions, signal: AbortSignal): Promise<Rebuilt> {
  await migrateProjector(options.ownerUrl, options.logger);
  return alone(options, async (db) => {
    const accounts = await db.query<{ account: string; tenant: string }>(
      "select account, tenant from view.account where state <> 'removed'",
    );
    await requireWholeLog({ bus: options.bus, db }, FOLD, accounts);
    await prepare(options, db);
    return run(options, db, signal);
  });
}

/** Takes away what an interrupted or undecided rebuild left; false when there was nothing. */
export async function dropRebuild(options: Pick<RebuildOptions, 'ownerUrl' | 'logger'>): Promise<boolean> {
  await migrateProjector(options.ownerUrl, options.logger);
  return alone(options, async (db) => {
    const left = (await readTables(db, NEXT)).length > 0;
    await db.tx(async (tx) => {
      await dropNext(tx);
      await forgetShadow(tx, FOLD);
      await forgetRebuild(tx, FOLD);
    });
    return left;
  });
}

/** One at a time: the lock ends with the transaction that holds it, and that with the process. */
async function alone<T>(
  { ownerUrl: url, logger }: Pick<RebuildOptions, 'ownerUrl' | 'logger'>,
  work: (db: Db) => Promise<T>,
): Promise<T> {
  const shared = { url, max: CONNECTIONS, applicationName: 'mailstream rebuild', logger };
  const db = createDb({ ...shared, schema: NEXT, statementMs: STATEMENT_MS });
  try {
    return await db.tx(async (tx) => {
      const [lock] = await tx.query<{ taken: boolean }>(
        "select pg_try_advisory_xact_lock(hashtextextended('mailstream rebuild', 0)) as taken",
      );
      if (!lock?.taken)
        throw new AppError('rebuild.running', 'conflict', 'a rebuild runs already: wait for it, or end it');
      await tx.query('set local idle_in_transaction_session_timeout = 0');
      return await work(db);
    });
  } finally {
    await db.close();
  }
}

/** What is there of an interrupted one is kept, unless its tables and its place in the log are not both there. */
async function prepare({ ownerUrl, logger }: RebuildOptions, db: Db): Promise<void> {
  const [status, tables] = await Promise.all([readRebuild(db, FOLD), readTables(db, NEXT)]);
  if (status === null || status.stage === 'done' || tables.length === 0)
    await db.tx(async (tx) => {
      await dropNext(tx);
      await forgetShadow(tx, FOLD);
      await beginRebuild(tx, FOLD);
    });
  await migrate(ownerUrl, { ...VIEW_SCHEMA, schema: NEXT, logger });
}

async function run(options: RebuildOptions, db: Db, signal: AbortSignal): Promise<Rebuilt> {
  const { bus, logger, acceptDifferences, reach } = options;
  const shadow = createShadow({ bus, db, logger, definition: projector });
  const wiped = new Set<string>();
  const progress = createProgress(options, db, shadow, (await readRebuild(db, FOLD))?.events ?? 0);
  const enter = async (stage: RebuildProgress['stage'], differences: readonly Difference[] = []) => {
    await progress.enter(stage, differences);
    await reach?.(stage);
  };
  const comeNear = async () => {
    do {
      await db.tx((tx) => adoptRemoved(tx, wiped));
      await shadow.follow(signal);
      await progress.count();
    } while (progress.remaining() > NEAR_EVENTS);
  };

  return progress.shown(signal, async () => {
    await enter('folding');
    await comeNear();
    for (const { name } of await readTables(db, NEXT)) await db.query(`analyze ${NEXT}.${name}`);

    await enter('comparing');
    await comeNear();
    const differences = await db.tx(async (both) => {
      // Its first statement is what decides on the state that a transaction sees.
      await shadow.meet(() => both.query('select 1'), signal);
      return compareTables(both);
    }, 'snapshot');
    if (differences.length > 0 && !acceptDifferences) {
      await enter('differs', differences);
      return { swapped: false, differences, events: progress.events() };
    }

    await enter('swapping', differences);
    await persist(signal, async () => {
      await comeNear();
      await shadow.meet(async (tx) => {
        await adoptRemoved(tx, wiped);
        await exchangeTables(tx, signal);
        await takePlace(tx, FOLD);
        await saveRebuild(tx, FOLD, { ...progress.now(), stage: 'done', remaining: 0 });
      }, signal);
    });
    await reach?.('done');
    return { swapped: true, differences, events: progress.events() };
  });
}

/** As long as somebody reads in one transaction, the live fold is let go for a while. */
async function persist(signal: AbortSignal, swap: () => Promise<void>): Promise<void> {
  for (const patience = AbortSignal.timeout(BUSY_MS); ; ) {
    try {
      return await swap();
    } catch (error) {
      const isBusy = error instanceof AppError && error.code === 'rebuild.busy';
      if (!isBusy || patience.aborted) throw error;
    }
    await pause(TICK_MS, signal);
    signal.throwIfAborted();
  }
}

/** Counts, and tells it: to the caller, and to the row that the API reads. `before`: facts folded by those that were interrupted. */
function createProgress({ onProgress }: RebuildOptions, db: Db, shadow: Shadow, before: number) {
  const started = performance.now();
  let stage: RebuildProgress['stage'] = 'folding';
  let differences: readonly Difference[] = [];
  let counted = { remaining: 0, events: 0 };

  const events = () => before + shadow.events();
  const remaining = () => Math.max(0, counted.remaining - (shadow.events() - counted.events));
  const now = (): RebuildProgress => {
    const seconds = (performance.now() - started) / 1000;
    const rate = shadow.events() === 0 ? null : shadow.events() / seconds;
    return { stage, events: events(), remaining: remaining(), rate, differences };
  };
  const tell = async () => {
    onProgress(now());
    await saveRebuild(db, FOLD, now());
  };
  const count = async () => {
    counted = { remaining: await shadow.remaining(), events: shadow.events() };
  };

  return {
    events,
    remaining,
    now,
    count,
    async enter(next: RebuildProgress['stage'], found: readonly Difference[]) {
      stage = next;
      differences = found;
      await count();
      await tell();
    },
    /** Tells it each second while `work` goes on. */
    async shown<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
      const over = new AbortController();
      const either = AbortSignal.any([over.signal, signal]);
      const telling = async () => {
        for (;;) {
          await pause(TICK_MS, either);
          // From then on the transaction of the exchange does.
          if (either.aborted || stage === 'swapping') return;
          await tell();
        }
      };
      const [result] = await Promise.all([work().finally(() => over.abort()), telling()]);
      return result;
    },
  };
}
