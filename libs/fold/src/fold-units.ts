/** One transaction of a fold: its position, the chain rule, its own rows and its outbox move together or not at all. */
import { subjects } from '@mailstream/contracts';
import type { Tx } from '@mailstream/db';
import { judge, scopeKey, scopesOf, type Verdict } from './chain.ts';
import { deleteAccountChains, readChains, writeChains } from './chain-rows.ts';
import { type Checkpoint, moveCheckpoint } from './checkpoint-rows.ts';
import type { FoldContext } from './context.ts';
import { fingerprintOf } from './epoch.ts';
import { type EmittedRows, writeOutbox } from './outbox-rows.ts';
import { isOversized, type OutgoingEvent, outgoingEvent } from './outgoing-events.ts';
import type { Unit } from './page-collector.ts';
import { inPageSpans, type TraceOf } from './page-spans.ts';
import { park, skippedOf } from './parking.ts';
import type { Folded, Scope } from './port.ts';
import { isUnusable, salvage } from './salvage.ts';
import { type SeedLedger, seedsFor } from './seeds.ts';

/** One partition while it is open. */
export interface PartitionFold {
  readonly context: FoldContext;
  readonly partition: number;
  readonly seeds: SeedLedger;
  /** Called after each commit, with the rows it added to the outbox. */
  readonly onEmitted: (rows: EmittedRows) => void;
}

/** What the statements of one transaction came to. */
interface Step {
  readonly verdict: Verdict;
  readonly folded: Folded;
  /** Scopes whose cursor was put back by it. */
  readonly wanted: readonly Scope[];
  readonly rows: EmittedRows;
  readonly oversized: readonly OutgoingEvent[];
}

/**
 * Folds units that follow `from` directly; returns where the partition stands then. When the values of a fact are refused, halves are folded in
 * transactions of their own until the unit with that fact is alone, and then the fact is left out. Throws `PositionMoved`, and everything else
 * that trying again may help against; then nothing, or a first part, has happened.
 */
export async function foldUnits(
  fold: PartitionFold,
  from: Checkpoint,
  units: readonly Unit[],
): Promise<Checkpoint> {
  try {
    return await transact(fold, from, units, async (tx, to, traceOf) => [
      units,
      await step(tx, fold, to, units, traceOf),
    ]);
  } catch (error) {
    if (!isUnusable(error)) throw error;
    const [only, ...others] = units;
    if (only && others.length === 0)
      return await transact(fold, from, units, async (tx, to, traceOf) => {
        const { unit, result } = await salvage(tx, only, (usable) => step(tx, fold, to, [usable], traceOf));
        return [[unit], result];
      });
    const half = units.length >> 1;
    const between = await foldUnits(fold, from, units.slice(0, half));
    return await foldUnits(fold, between, units.slice(half));
  }
}

async function transact(
  fold: PartitionFold,
  from: Checkpoint,
  units: readonly Unit[],
  work: (tx: Tx, to: Checkpoint, traceOf: TraceOf) => Promise<[units: readonly Unit[], step: Step]>,
): Promise<Checkpoint> {
  return await inPageSpans(fold.context.definition.name, units, (traceOf) =>
    transactTraced(fold, from, units, (tx, to) => work(tx, to, traceOf)),
  );
}

async function transactTraced(
  fold: PartitionFold,
  from: Checkpoint,
  units: readonly Unit[],
  work: (tx: Tx, to: Checkpoint) => Promise<[units: readonly Unit[], step: Step]>,
): Promise<Checkpoint> {
  const { context, partition } = fold;
  const { db, definition, seams } = context;
  const last = units.at(-1)?.last;
  if (!last) return from;
  const to: Checkpoint = { ...from, position: last.sequence, fingerprint: fingerprintOf(last) };
  const [done, result] = await db.tx(async (tx) => {
    await moveCheckpoint(tx, definition.name, partition, from, to);
    const [used, made] = await work(tx, to);
    if (!context.silent) await park(context.bus, used, made.oversized, to.position);
    await seams.reach?.('folded', partition);
    return [used, made] as const;
  });
  await seams.reach?.('committed', partition);
  count(context, done, result);
  context.onLatency((Date.now() - (units[0]?.last.time.getTime() ?? 0)) / 1_000);
  fold.seeds.settle(result.verdict.arrived, result.wanted);
  fold.onEmitted(result.rows);
  if (!context.silent) await afterCommit(context, result);
  return to;
}

/** Everything but the position; may be undone and done again. */
async function step(
  tx: Tx,
  fold: PartitionFold,
  to: Checkpoint,
  units: readonly Unit[],
  traceOf: TraceOf,
): Promise<Step> {
  const { context, partition } = fold;
  const { definition, seams } = context;
  const { name } = definition;
  const isAuthority = definition.cursors !== undefined;
  const chains = await readChains(tx, name, partition, scopesOf(units));
  const verdict = (seams.judge ?? judge)(units, chains, isAuthority);
  const folded = verdict.pages.length > 0 ? await definition.apply(tx, verdict.pages) : NOTHING;
  await writeChains(tx, name, partition, verdict.changed);
  await deleteAccountChains(tx, name, partition, [...verdict.removed, ...(folded.gone ?? [])]);
  if (context.silent) return { verdict, folded, wanted: [], rows: { mail: [], changes: [] }, oversized: [] };

  const isQuiet = to.position <= to.quietUntil;
  const announced = isQuiet ? [] : [...folded.emissions, ...skippedOf(definition, units)];
  // Seeds are no history: what diverged while folding in silence has to be put right all the same.
  const wanted = fold.seeds.missing(verdict.diverged, verdict.arrived);
  const seeds = await seedsFor(tx, definition, wanted, new Map([...chains, ...verdict.changed]), 'unchained');
  const time = new Date().toISOString();
  const made = [...announced, ...seeds].map((emission) => {
    const trace = traceOf(emission.to === 'changes' ? emission.sequence : null);
    return outgoingEvent(emission, name, time, trace);
  });
  const oversized = made.filter(isOversized);
  const rows = await writeOutbox(
    tx,
    name,
    partition,
    to.position,
    made.filter((event) => !isOversized(event)),
  );
  return { verdict, folded, wanted, rows, oversized };
}

const NOTHING: Folded = { emissions: [] };

function count({ stats }: FoldContext, units: readonly Unit[], { verdict, wanted }: Step): void {
  stats.transactions += 1;
  stats.pages += verdict.pages.length;
  stats.discarded += verdict.discarded.length;
  stats.seeded += wanted.length;
  for (const unit of units) {
    stats.events += unit.events;
    stats.parked += unit.poison.length;
  }
}

/**
 * What may be lost if the process dies now. Accounts are hinted where a page was discarded, so that it is fetched again; but where a cursor has to be
 * put back first, only when that has arrived.
 */
async function afterCommit(
  { bus, definition, logger }: FoldContext,
  { verdict, folded }: Step,
): Promise<void> {
  const isAuthority = definition.cursors !== undefined;
  const diverged = new Set(isAuthority ? verdict.diverged.map(scopeKey) : []);
  const due = verdict.discarded.filter((scope) => !diverged.has(scopeKey(scope)));
  if (isAuthority) due.push(...verdict.seeded);
  const hints = new Set(due.map((scope) => subjects.hint(scope, 'user')));
  try {
    await folded.committed?.();
    for (const subject of hints) await bus.publish({ subject, data: {} });
  } catch (error) {
    logger.warn(
      { fold: definition.name, err: error },
      'a wake-up after a commit was lost; a poll makes it good',
    );
  }
  for (const scope of verdict.discarded)
    logger.warn({ fold: definition.name, ...scope }, 'a page does not continue what was applied: discarded');
}
