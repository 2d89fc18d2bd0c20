/** Keeps one partition folding: opens it, reads, folds, publishes, and opens it anew after whatever went wrong. */
import { AppError, backoffMs, pause } from '@mailstream/runtime';
import { type Checkpoint, moveCheckpoint, PositionMoved, readCheckpoint } from './checkpoint-rows.ts';
import type { FoldContext } from './context.ts';
import { isSameLog, liftOf } from './epoch.ts';
import { factFilters } from './filters.ts';
import { foldUnits } from './fold-units.ts';
import { fingerprintAt, openPartition } from './open-partition.ts';
import type { EmittedRows } from './outbox-rows.ts';
import { createPageCollector } from './page-collector.ts';
import { newestFact } from './positions.ts';
import { createRelay, type Relay, RelayFenced } from './relay.ts';
import { createSeedLedger } from './seeds.ts';
import { together } from './tasks.ts';
import { createUnitQueue } from './unit-queue.ts';

const BACKOFF = { baseMs: 100, maxMs: 3_000 };

/** After so long without a message the log and the checkpoint are looked at, milliseconds. */
const IDLE_MS = 5_000;

/** Each wait within a turn has a limit of its own: what does not come back within this never will, milliseconds. */
const PATIENCE_MS = 5 * 60_000;

/** Folds a partition until `signal` aborts. Whatever fails, PostgreSQL or NATS gone included, it goes on from the checkpoint once it can. */
export async function runPartition(
  context: FoldContext,
  partition: number,
  signal: AbortSignal,
): Promise<void> {
  const session = createSession(context, partition);
  const pulse = context.health.watch(`fold ${context.definition.name} partition ${partition}`, PATIENCE_MS);
  let failures = 0;
  while (!signal.aborted) {
    pulse.beat();
    try {
      await session(signal, () => {
        failures = 0;
        pulse.beat();
      });
    } catch (error) {
      failures += 1;
      context.stats.reopened += 1;
      report(context, partition, error);
    }
    await pause(backoffMs(BACKOFF, failures, Math.random()), signal);
  }
  pulse.end();
}

function report({ logger, definition }: FoldContext, partition: number, err: unknown): void {
  const about = { fold: definition.name, partition, err };
  if (err instanceof PositionMoved || err instanceof RelayFenced)
    logger.info(about, 'another replica or a rebuild moved this partition: opening it anew');
  else if (err instanceof AppError && err.errorClass === 'network')
    logger.warn(about, 'folding was interrupted: opening the partition anew');
  else logger.error(about, 'folding failed: opening the partition anew');
}

type Session = (signal: AbortSignal, onProgress: () => void) => Promise<void>;

/** From opening a partition to the first failure of any part of it. */
function createSession(context: FoldContext, partition: number): Session {
  const { bus, definition } = context;
  const filters = factFilters(partition, definition.facts);

  return async (outer, onProgress) => {
    const seeds = createSeedLedger();
    const start = await openPartition(context, partition, seeds);
    const queue = createUnitQueue();
    const mail = relayTo(context, partition, 'mail', start);
    const changes = relayTo(context, partition, 'changes', start);

    const collector = createPageCollector(liftOf(start.epoch));

    const read = async (signal: AbortSignal) => {
      for await (const messages of bus.read('MAIL', filters, start.position + 1n, signal))
        await queue.push(collector.push(messages), signal);
      if (!signal.aborted) throw new LogChanged('the reader of the log ended');
    };

    let openBefore: bigint | null = null;
    /**
     * A page is stored whole, so one that the log ends in the middle of never was one, and nothing may come for long that would show it.
     * Looked at twice, because giving up a good one would lose mail.
     */
    const unclosedPage = async () => {
      const open = collector.openAt();
      const suspicious = open !== null && open === openBefore;
      openBefore = open;
      if (!suspicious || (await newestFact(bus, partition, definition.facts)) !== open) return [];
      return collector.giveUp(open);
    };

    const fold = async (signal: AbortSignal) => {
      const onEmitted = (rows: EmittedRows) => {
        mail.wake(rows.mail);
        changes.wake(rows.changes);
      };
      let at = start;
      while (!signal.aborted) {
        const arrived = await queue.take(at.quietUntil, IDLE_MS, signal);
        const idle = arrived.length === 0 && !signal.aborted;
        if (idle) at = await lookAround(context, partition, at);
        const units = idle ? await unclosedPage() : arrived;
        const from = at;
        if (units.length > 0)
          at = await context.turns(() => foldUnits({ context, partition, seeds, onEmitted }, from, units));
        onProgress();
        await Promise.all([mail.room(signal), changes.room(signal)]);
      }
    };

    await together(outer, [read, fold, mail.run, changes.run]);
  };
}

function relayTo(
  { bus, db, definition, stats, seams }: FoldContext,
  partition: number,
  target: 'mail' | 'changes',
  { epoch }: Checkpoint,
): Relay {
  return createRelay({
    bus,
    db,
    outbox: { relay: definition.name, partition, target },
    epoch,
    async onPublished(events) {
      stats.published += events;
      await seams.reach?.('published', partition);
    },
  });
}

/** The log was recreated or cut while we were reading it. */
class LogChanged extends AppError {
  constructor(message: string) {
    super('fold.log_changed', 'network', message);
  }
}

/**
 * Nothing came for a while. If nothing is there, the position moves along with the rest of the log: a partition where nothing happens must not
 * look as if the messages after its last one had expired.
 */
async function lookAround(context: FoldContext, partition: number, at: Checkpoint): Promise<Checkpoint> {
  const { bus, db, definition } = context;
  const log = await bus.state('MAIL');
  if (!isSameLog(at.epoch, log) || log.last < at.position)
    throw new LogChanged('the log is not the one that was opened');
  const stands = await readCheckpoint(db, definition.name, partition);
  if (stands?.position !== at.position || stands.epoch !== at.epoch)
    throw new PositionMoved(`${definition.name} was set back in partition ${partition}`);
  // What is stored by now is found here; so if that is nothing new, nothing up to log.last is.
  const newest = await newestFact(bus, partition, definition.facts);
  if (log.last === at.position || newest > at.position) return at;
  const to = { ...at, position: log.last, fingerprint: await fingerprintAt(context, log.last) };
  await db.tx((tx) => moveCheckpoint(tx, definition.name, partition, at, to));
  return to;
}
