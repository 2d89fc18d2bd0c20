/** Puts a fold together: partitions are claimed by lease, each is folded by a loop of its own. */
import type { Bus } from '@mailstream/bus';
import { type FoldLag, PARTITIONS, partitionToken, subjects } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import {
  backoffMs,
  createHealth,
  createTurns,
  type Health,
  type Logger,
  type Metrics,
  type Part,
  pause,
} from '@mailstream/runtime';
import { type FoldContext, type FoldSeams, type FoldStats, noStats } from './context.ts';
import { leaseFilter } from './filters.ts';
import { observeFold } from './fold-metrics.ts';
import { runPartition } from './partition-loop.ts';
import type { FoldDefinition } from './port.ts';
import { readLag } from './positions.ts';

export interface FoldOptions {
  readonly bus: Bus;
  readonly db: Db;
  readonly logger: Logger;
  /** What it tells of itself, and who watches that its loops go on. */
  readonly metrics?: Metrics;
  readonly health?: Pick<Health, 'watch'>;
  readonly definition: FoldDefinition;
  /** Most partitions at a time; absent: all. */
  readonly capacity?: number;
  /** `ignored`: fold all partitions whoever else does, which is safe but doubles the work. */
  readonly leases?: 'honoured' | 'ignored';
  readonly seams?: FoldSeams;
}

export interface Fold extends Part {
  /** How far it is behind, per partition, whichever replica folds it. */
  lag(): Promise<FoldLag[]>;
  /** Counts of this process. */
  stats(): Readonly<FoldStats>;
}

/** A partition whose replica died is free after this, milliseconds. */
const HOLD_MS = 5_000;

/** Partitions in a transaction at a time: one on its statements while another is on its facts; more only wait for the same processors. */
const AT_A_TIME = 2;

/** Leases are put on offer again so often, milliseconds: the stream that holds them may have been lost. */
const OFFER_MS = 15_000;

const PARTITION_NUMBERS = Array.from({ length: PARTITIONS }, (_, partition) => partition);

/** A fold as a part of a service. Its `run` ends only with its signal: faults of NATS and PostgreSQL are waited out. */
export function createFold(options: FoldOptions): Fold {
  const { bus, db, logger, definition, metrics, health = createHealth() } = options;
  const stats = noStats();
  const lag = () => readLag({ bus, db }, definition.name, { facts: definition.facts });
  const context: FoldContext = {
    bus,
    db,
    logger,
    definition,
    stats,
    seams: options.seams ?? {},
    turns: createTurns(AT_A_TIME),
    health,
    onLatency: metrics ? observeFold(metrics, definition.name, { stats, lag }) : () => undefined,
  };
  const leaseOf = (partition: number) => subjects.partitionLease(definition.name, partitionToken(partition));

  const offer = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      for (const partition of PARTITION_NUMBERS) await bus.offer('WATCH', leaseOf(partition), { partition });
      await pause(OFFER_MS, signal);
    }
  };

  const hold = (signal: AbortSignal) =>
    bus.holdLeases(
      {
        durable: `fold-${definition.name}`,
        filter: leaseFilter(definition.name),
        capacity: options.capacity ?? PARTITIONS,
        holdMs: HOLD_MS,
      },
      (lease) => runPartition(context, Number(lease.subject.split('.').at(-1)), lease.signal),
      signal,
    );
  return {
    name: `fold ${definition.name}`,

    async run(signal) {
      if (options.leases === 'ignored') {
        await Promise.all(PARTITION_NUMBERS.map((partition) => runPartition(context, partition, signal)));
        return;
      }
      await Promise.all([persist(offer, logger, signal), persist(hold, logger, signal)]);
    },

    lag,
    stats: () => ({ ...stats }),
  };
}

/** Starts a task again whenever it fails. */
async function persist(
  task: (signal: AbortSignal) => Promise<void>,
  logger: Logger,
  signal: AbortSignal,
): Promise<void> {
  for (let failures = 1; !signal.aborted; failures += 1) {
    try {
      await task(signal);
    } catch (error) {
      if (!signal.aborted) logger.warn({ err: error }, 'claiming partitions was interrupted');
    }
    await pause(backoffMs({ baseMs: 200, maxMs: 3_000 }, failures, Math.random()), signal);
  }
}
