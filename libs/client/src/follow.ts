/** Following the change stream: every change once, in order, for as long as the reader likes. */
import { setTimeout as wait } from 'node:timers/promises';
import { type Bus, BusError, type StreamState } from '@mailstream/bus';
import { type ChangeEvent, isChangeEvent, subjects } from '@mailstream/contracts';

/** A change with its place in the `CHANGES` stream. Keep `sequence` to go on from there another day. */
export interface Change {
  readonly sequence: bigint;
  readonly event: ChangeEvent;
}

export interface FollowOptions {
  readonly tenant: string;
  /** One account only; absent: all of the tenant. */
  readonly account?: string;
  /** `now`: only what comes (default). `sequence`: what comes after that one. `time`: what was published since, as far as it is kept. */
  readonly from?: 'now' | { readonly sequence: bigint } | { readonly time: Date };
}

/**
 * What the reader was to get next is not there any more: the stream was made anew, restored, or no longer keeps changes that old.
 * Read a snapshot by the API, then follow from now.
 */
export class ChangesLostError extends Error {
  override readonly name = 'ChangesLostError';
  readonly code = 'client.changes_lost';
}

/** How long to wait before the stream is opened again, milliseconds: doubled each time that nothing came. */
const REOPEN_MS = { first: 100, longest: 5_000 };

/**
 * Changes in the order of the stream, each once; opens again by itself after trouble with the connection, from the last one it gave.
 * Ends when `signal` aborts. Throws `ChangesLostError` rather than leave something out, and `BusError` when the server refuses for
 * good. Event types this version does not know are left out: they are for newer readers.
 */
export async function* follow(
  bus: Pick<Bus, 'read' | 'state'>,
  { tenant, account, from = 'now' }: FollowOptions,
  signal: AbortSignal,
): AsyncGenerator<Change, void> {
  const filter = subjects.changesOf(tenant, account);
  let created: string | null = null;
  // A sequence is that of the last change given; a time is where to begin, until there is one.
  let position: bigint | Date | null = from === 'now' ? null : 'time' in from ? from.time : from.sequence;
  for (let fruitless = 0; !signal.aborted; fruitless += 1) {
    try {
      const state = await bus.state('CHANGES');
      if (created !== null && state.created !== created)
        throw new ChangesLostError('the CHANGES stream was made anew');
      created = state.created;
      position ??= state.last;
      if (!(position instanceof Date)) checkKept(position, state);
      const start = position instanceof Date ? position : position + 1n;
      for await (const arrived of bus.read('CHANGES', filter, start, signal)) {
        fruitless = 0;
        for (const stored of arrived) {
          position = stored.sequence;
          const event: unknown = JSON.parse(utf8.decode(stored.data));
          if (isChangeEvent(event)) yield { sequence: stored.sequence, event };
        }
      }
    } catch (error) {
      if (signal.aborted) return;
      if (created !== null && error instanceof BusError && error.code === 'bus.no_stream')
        throw new ChangesLostError('the CHANGES stream is gone', { cause: error });
      if (!isPassing(error)) throw error;
    }
    const pause = Math.min(REOPEN_MS.longest, REOPEN_MS.first * 2 ** Math.min(fruitless, 10));
    await wait(pause, undefined, { signal }).catch(() => undefined);
  }
}

const utf8 = new TextDecoder();

/** Throws when what follows `position` is not there any more. */
function checkKept(position: bigint, { first, last }: StreamState): void {
  if (position > last)
    throw new ChangesLostError(`the CHANGES stream ends at ${last}, before ${position}: its end was lost`);
  if (position + 1n < first)
    throw new ChangesLostError(
      `the CHANGES stream begins at ${first}: what follows ${position} is not kept any more`,
    );
}

/** The connection, or a server that is busy; anything else does not get better by trying again. */
function isPassing(error: unknown): boolean {
  return error instanceof BusError && (error.errorClass === 'network' || error.errorClass === 'timeout');
}
