/** What all parts of one fold share. */
import type { Bus } from '@mailstream/bus';
import type { Db } from '@mailstream/db';
import type { Health, Logger, Turns } from '@mailstream/runtime';
import type { Judge } from './chain.ts';
import type { FoldDefinition } from './port.ts';

/** Counts since the process started. */
export interface FoldStats {
  /** Messages of the log left behind, for whatever reason. */
  events: number;
  /** Pages applied. */
  pages: number;
  transactions: number;
  /** Pages that did not continue what was applied. */
  discarded: number;
  /** Messages parked. */
  parked: number;
  /** Cursors put back into the log. */
  seeded: number;
  /** Events published from the outbox. */
  published: number;
  /** Times a partition was opened anew after a failure. */
  reopened: number;
  /** Repairs after the log was found to be another or cut. */
  incidents: number;
}

export const noStats = (): FoldStats => ({
  events: 0,
  pages: 0,
  transactions: 0,
  discarded: 0,
  parked: 0,
  seeded: 0,
  published: 0,
  reopened: 0,
  incidents: 0,
});

/** Where a test may stop or kill the process: before the commit, after it, and after an outbox batch was stored but not yet deleted. */
export type Seam = 'folded' | 'committed' | 'published';

/** For tests of the guarantees: what holds with a guard taken away, or when the process dies at the worst moment. */
export interface FoldSeams {
  readonly reach?: (seam: Seam, partition: number) => Promise<void> | void;
  /** In place of the chain rule. */
  readonly judge?: Judge;
}

export interface FoldContext {
  readonly bus: Bus;
  readonly db: Db;
  readonly logger: Logger;
  readonly definition: FoldDefinition;
  readonly stats: FoldStats;
  readonly seams: FoldSeams;
  /** Bounds the transactions under way, and with them what their pages take of memory. */
  readonly turns: Turns;
  readonly health: Pick<Health, 'watch'>;
  /** Told how old the oldest page of a transaction was at its commit, seconds. */
  readonly onLatency: (seconds: number) => void;
  /** It only fills tables: it emits, seeds, hints and parks nothing, because another fold of the same facts does. */
  readonly silent?: true;
}
