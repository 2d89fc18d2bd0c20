/** Folds a partition up to a place and no further: for a fold that follows another one. */
import { AppError } from '@mailstream/runtime';
import { type Checkpoint, createCheckpoint, moveCheckpoint, readCheckpoint } from './checkpoint-rows.ts';
import type { FoldContext } from './context.ts';
import { liftOf } from './epoch.ts';
import { factFilters } from './filters.ts';
import { foldUnits, type PartitionFold } from './fold-units.ts';
import { createPageCollector, type Unit } from './page-collector.ts';
import { newestFact } from './positions.ts';

/** Of one transaction. */
const MAX_EVENTS = 1_000;
const MAX_BYTES = 4 * 1_048_576;

/** After so long without a message the log is looked at again, milliseconds: what was to come may have been purged. */
const SILENCE_MS = 2_000;

/**
 * Brings a silent fold to exactly where another fold stands. That one stands between pages, so a page that is open
 * there was never closed. Every commit is a place to go on from. Throws `PositionMoved` when somebody else folds under the same name.
 */
export async function catchUp(
  context: FoldContext,
  partition: number,
  until: Checkpoint,
  signal: AbortSignal,
): Promise<void> {
  const { db, definition } = context;
  const start: Checkpoint = { ...until, position: 0n, fingerprint: null, quietUntil: 0n };
  await createCheckpoint(db, definition.name, partition, start);
  let at = (await readCheckpoint(db, definition.name, partition)) ?? start;
  if (at.epoch !== until.epoch || at.position > until.position)
    throw new AppError(
      'fold.log_changed',
      'conflict',
      'the log is another one since this began: begin again',
    );
  while (at.position < until.position && !signal.aborted)
    at = await foldSome(context, partition, at, until, signal);
}

/** To `until`, or to where the log fell silent. */
async function foldSome(
  context: FoldContext,
  partition: number,
  from: Checkpoint,
  until: Checkpoint,
  outer: AbortSignal,
): Promise<Checkpoint> {
  const { bus, db, definition, turns } = context;
  const newest = await newestFact(bus, partition, definition.facts);
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  const signal = AbortSignal.any([outer, silence.signal]);
  const fold: PartitionFold = { context, partition, seeds: NO_SEEDS, onEmitted: () => undefined };
  const collector = createPageCollector(liftOf(until.epoch));
  let units: Unit[] = [];
  let at = from;
  let isThrough = newest <= at.position;
  try {
    if (!isThrough)
      for await (const messages of bus.read(
        'MAIL',
        factFilters(partition, definition.facts),
        at.position + 1n,
        signal,
      )) {
        const due = messages.filter(({ sequence }) => sequence <= until.position);
        units.push(...collector.push(due));
        isThrough = due.length < messages.length || (messages.at(-1)?.sequence ?? 0n) >= newest;
        const open = isThrough ? collector.openAt() : null;
        if (open !== null) units.push(...collector.giveUp(open));
        for (const some of portions(units, isThrough)) {
          const here = at;
          at = await turns(() => foldUnits(fold, here, some));
          units = units.slice(some.length);
        }
        if (isThrough) break;
        timer.refresh();
      }
  } finally {
    clearTimeout(timer);
  }
  if (!isThrough || at.position === until.position) return at;
  const to = { ...until, quietUntil: 0n };
  await db.tx((tx) => moveCheckpoint(tx, definition.name, partition, at, to));
  return to;
}

const NO_SEEDS: PartitionFold['seeds'] = { missing: () => [], settle: () => undefined };

/** As many as one transaction takes; what does not fill one waits for more, unless these are the last. */
function* portions(units: readonly Unit[], isLast: boolean): Generator<readonly Unit[]> {
  let portion: Unit[] = [];
  let events = 0;
  let bytes = 0;
  for (const unit of units) {
    portion.push(unit);
    events += unit.events;
    bytes += unit.bytes;
    if (events < MAX_EVENTS && bytes < MAX_BYTES) continue;
    yield portion;
    portion = [];
    events = 0;
    bytes = 0;
  }
  if (isLast && portion.length > 0) yield portion;
}
