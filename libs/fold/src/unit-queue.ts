/** Units that were read and not folded yet: reading goes on while a transaction runs, up to a bound. */
import type { Unit } from './page-collector.ts';
import { waitFor } from './tasks.ts';

export interface UnitQueue {
  /** Adds units; resolves when there is room for more, or at once when `signal` has aborted. */
  push(units: readonly Unit[], signal: AbortSignal): Promise<void>;
  /**
   * What has arrived, at least one unit and no more than fits one transaction; none when nothing came within `idleMs` or `signal` aborted. Never both
   * sides of `boundary`.
   */
  take(boundary: bigint, idleMs: number, signal: AbortSignal): Promise<Unit[]>;
}

/** Of one transaction. */
const MAX_EVENTS = 1_000;
const MAX_BYTES = 4 * 1_048_576;

/** Read ahead of the transaction that runs. */
const AHEAD_EVENTS = 500;
const AHEAD_BYTES = 2 * 1_048_576;

export function createUnitQueue(): UnitQueue {
  let waiting: Unit[] = [];
  let events = 0;
  let bytes = 0;
  let arrived = Promise.withResolvers<void>();
  let taken = Promise.withResolvers<void>();

  return {
    async push(units, signal) {
      for (const unit of units) {
        waiting.push(unit);
        events += unit.events;
        bytes += unit.bytes;
      }
      arrived.resolve();
      while (!signal.aborted && (events >= AHEAD_EVENTS || bytes >= AHEAD_BYTES)) {
        taken = Promise.withResolvers();
        await waitFor(taken.promise, null, signal);
      }
    },

    async take(boundary, idleMs, signal) {
      if (waiting.length === 0) {
        arrived = Promise.withResolvers();
        await waitFor(arrived.promise, idleMs, signal);
      }
      if (signal.aborted) return [];
      const count = fitting(waiting, boundary);
      const units = waiting.slice(0, count);
      waiting = waiting.slice(count);
      for (const unit of units) {
        events -= unit.events;
        bytes -= unit.bytes;
      }
      taken.resolve();
      return units;
    },
  };
}

function fitting(units: readonly Unit[], boundary: bigint): number {
  const startsBefore = (units[0]?.last.sequence ?? 0n) <= boundary;
  let events = 0;
  let bytes = 0;
  let count = 0;
  for (const unit of units) {
    events += unit.events;
    bytes += unit.bytes;
    const isBefore = unit.last.sequence <= boundary;
    if (count > 0 && (events > MAX_EVENTS || bytes > MAX_BYTES || isBefore !== startsBefore)) break;
    count += 1;
  }
  return count;
}
