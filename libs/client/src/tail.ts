/** Reading the change stream from a place on, through everything that passes: the connection, a restart of the server. */
import { BusError, type Stored, type TenantChanges } from '@mailstream/bus';
import type { ChangeName } from '@mailstream/contracts';
import { pause } from '@mailstream/runtime/base';
import { type Change, changesIn, filtersOf, type Selection } from './change.ts';
import { checkKept, moveAlong, type Position, positionAfter } from './position.ts';

/** A `Bus` has all of it; so has what a tenant's subscribers may see. */
export type TailBus = TenantChanges;

/** What had arrived, and the place after it. */
export interface Arrived<N extends ChangeName> {
  /** In the order of the stream; none when the place only moved along with it. */
  readonly changes: readonly Change<N>[];
  readonly position: Position;
}

/** How long to wait before the stream is opened again, milliseconds: doubled each time that nothing came. */
const REOPEN_MS = { first: 100, longest: 5_000 };

/** After so long without a change the place moves along, milliseconds. */
const IDLE_MS = 10_000;

/**
 * Each change after `from` once, in order; nothing, now and then, when none came for `idleMs`. Ends when `signal` aborts. Throws `ChangesLostError` rather than leave something out, and `BusError` when
 * the server refuses for good.
 */
export async function* tail<N extends ChangeName>(
  bus: TailBus,
  selection: Selection<N>,
  from: Position,
  signal: AbortSignal,
  idleMs = IDLE_MS,
): AsyncGenerator<Arrived<N>, void> {
  for await (const { stored, position } of tailStored(bus, filtersOf(selection), from, signal, idleMs))
    yield { changes: changesIn(selection, stored), position };
}

/** The same, of the messages as they are stored. */
export async function* tailStored(
  bus: TailBus,
  filters: readonly string[],
  from: Position,
  signal: AbortSignal,
  idleMs = IDLE_MS,
): AsyncGenerator<{ readonly stored: readonly Stored[]; readonly position: Position }, void> {
  let position = from;
  for (let fruitless = 0; !signal.aborted; fruitless += 1) {
    try {
      await checkKept(bus, position);
      const next = position.sequence + 1n;
      const open = (until: AbortSignal) => bus.read('CHANGES', filters, next, until);
      for await (const stored of withIdle(open, idleMs, signal)) {
        const last = stored?.at(-1);
        position = last ? positionAfter(position, last) : await moveAlong(bus, position, filters);
        fruitless = 0;
        yield { stored: stored ?? [], position };
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
    }
    await pause(Math.min(REOPEN_MS.longest, REOPEN_MS.first * 2 ** Math.min(fruitless, 10)), signal);
  }
}

/** What the source yields until `signal` aborts, and null each time that nothing came for so long. */
async function* withIdle<T>(
  open: (signal: AbortSignal) => AsyncIterable<T>,
  idleMs: number,
  signal: AbortSignal,
): AsyncGenerator<T | null, void> {
  const end = new AbortController();
  const iterator = open(AbortSignal.any([signal, end.signal]))[Symbol.asyncIterator]();
  try {
    for (let next = iterator.next(); ; ) {
      const idle = Promise.withResolvers<null>();
      const timer = setTimeout(() => idle.resolve(null), idleMs);
      const result = await Promise.race([next, idle.promise]).finally(() => clearTimeout(timer));
      if (result?.done) return;
      yield result === null ? null : result.value;
      if (result) next = iterator.next();
    }
  } finally {
    // First, so that a reader which waits for more ends.
    end.abort();
    await iterator.return?.();
  }
}

/** The connection, or a server that is busy; anything else does not get better by trying again. */
export function isPassing(error: unknown): boolean {
  return error instanceof BusError && (error.errorClass === 'network' || error.errorClass === 'timeout');
}
