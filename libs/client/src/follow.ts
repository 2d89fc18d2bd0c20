/** Following the change stream for as long as the reader likes; nothing is kept of it. */
import type { Bus } from '@mailstream/bus';
import type { ChangeName } from '@mailstream/contracts';
import type { Change, Selection } from './change.ts';
import { positionFor, type StartAt } from './position.ts';
import { tail } from './tail.ts';

export interface FollowOptions<N extends ChangeName = ChangeName> extends Selection<N> {
  /** Default: `now`. Keep the `sequence` of the last change to go on from there another day. */
  readonly from?: StartAt;
}

/** Changes in the order of the stream, each once, over restarts of the server. */
export async function* follow<N extends ChangeName>(
  bus: Pick<Bus, 'read' | 'state' | 'at' | 'last'>,
  { from = 'now', ...selection }: FollowOptions<N>,
  signal: AbortSignal,
): AsyncGenerator<Change<N>, void> {
  const start = await positionFor(bus, from, signal);
  for await (const { changes } of tail(bus, selection, start, signal)) yield* changes;
}
