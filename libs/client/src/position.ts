/** Places in the `CHANGES` stream: where to begin, and whether what follows one is still all there. */
import { BusError, type Stored, type TenantChanges } from '@mailstream/bus';

/** A place in the stream: what comes next is what was stored after it. */
export interface Position {
  /** The stream it counts in: when that was created. */
  readonly stream: string;
  readonly sequence: bigint;
  /** When the message there was stored; null when there was none that is known of. */
  readonly storedAt: string | null;
}

/**
 * Where to begin. `now`: only what comes. `beginning`: with the oldest change that is kept (30 days, unless the installation says otherwise).
 * `sequence`: with what comes after that one. `time`: with what was published since, as far as it is kept.
 */
export type StartAt = 'now' | 'beginning' | { readonly sequence: bigint } | { readonly time: Date };

/**
 * What the reader was to get next is not there any more: the stream was made anew, restored, or no longer keeps changes that old.
 * Begin again with a snapshot.
 */
export class ChangesLostError extends Error {
  override readonly name = 'ChangesLostError';
  readonly code = 'client.changes_lost';
}

type Stream = TenantChanges;

export async function positionFor(bus: Stream, from: StartAt, signal: AbortSignal): Promise<Position> {
  const { created: stream, first, last } = await firstStateOf(bus, signal);
  const at = (sequence: bigint): Position => ({ stream, sequence, storedAt: null });
  if (from === 'now') return at(last);
  if (from === 'beginning') return at(first > 0n ? first - 1n : 0n);
  if ('sequence' in from) return at(from.sequence);
  const newest = await bus.last('CHANGES', '>');
  if (!newest || newest.time < from.time) return at(last);
  const found = new AbortController();
  const either = AbortSignal.any([signal, found.signal]);
  for await (const [next] of bus.read('CHANGES', '>', from.time, either)) {
    found.abort();
    if (next) return at(next.sequence - 1n);
  }
  return at(last);
}

/** Times. */
const ATTEMPTS = 3;

/** Asked again when nobody answered: who does may just be starting. */
async function firstStateOf(bus: Pick<Stream, 'state'>, signal: AbortSignal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await bus.state('CHANGES');
    } catch (error) {
      const isSilence = error instanceof BusError && error.code === 'bus.timeout';
      if (!isSilence || attempt === ATTEMPTS || signal.aborted) throw error;
    }
  }
}

/** After this message. */
export function positionAfter({ stream }: Position, { sequence, time }: Stored): Position {
  return { stream, sequence, storedAt: time.toISOString() };
}

/** Throws `ChangesLostError` when what follows `position` is not there any more. */
export async function checkKept(bus: Stream, { stream, sequence, storedAt }: Position): Promise<void> {
  const { created, first, last } = await stateOf(bus);
  if (created !== stream)
    throw new ChangesLostError(`the CHANGES stream was made anew ${created}, after what was read of it`);
  if (sequence > last)
    throw new ChangesLostError(`the CHANGES stream ends at ${last}, before ${sequence}: its end was lost`);
  if (sequence + 1n < first)
    throw new ChangesLostError(
      `the CHANGES stream begins at ${first}: what follows ${sequence} is not kept any more`,
    );
  // What is not there may have been removed with its account, so only another message there proves anything.
  const found = storedAt === null ? null : await bus.at('CHANGES', sequence);
  if (found && found.time.toISOString() !== storedAt)
    throw new ChangesLostError(`the CHANGES stream was restored: ${sequence} is not what it was`);
}

async function stateOf(bus: Stream) {
  try {
    return await bus.state('CHANGES');
  } catch (error) {
    if (error instanceof BusError && error.code === 'bus.no_stream')
      throw new ChangesLostError('the CHANGES stream is gone', { cause: error });
    throw error;
  }
}

/**
 * Moves along with the rest of the stream where nothing was selected for long: a reader for whom nothing happens must not look as if the changes
 * after its last one had expired.
 */
export async function moveAlong(
  bus: Stream,
  position: Position,
  filters: readonly string[],
): Promise<Position> {
  const { created, last } = await bus.state('CHANGES');
  if (created !== position.stream || last <= position.sequence) return position;
  // What is stored by now is found here; so if that is nothing new, nothing up to `last` is.
  const newest = await Promise.all(filters.map((filter) => bus.last('CHANGES', filter)));
  const isBehind = newest.some((one) => one !== null && one.sequence > position.sequence);
  return isBehind ? position : { stream: created, sequence: last, storedAt: null };
}
