/** Following the change stream for as long as the reader likes; nothing is kept of it. */
import type { TenantChanges } from '@mailstream/bus';
import type { ChangeName } from '@mailstream/contracts';
import type { Change, Selection } from './change.ts';
import { createCoverage } from './coverage.ts';
import { positionFor, type StartAt } from './position.ts';
import { type ApiOptions, NO_API, readSnapshot } from './snapshot.ts';
import { tail } from './tail.ts';

export interface FollowOptions<N extends ChangeName = ChangeName> extends Selection<N> {
  /**
   * Default: `now`. Keep the `sequence` of the last change to go on from there another day. `snapshot` (needs `api`): all that is there comes first, as
   * `account.added`, `mailbox.created` and `message.created` with `origin: null`, then what changed since, without gap or overlap.
   */
  readonly from?: 'snapshot' | StartAt;
}

/** Changes in the order of the stream, each once, over restarts of the server. */
export async function* follow<N extends ChangeName>(
  bus: TenantChanges,
  api: ApiOptions | null,
  { from = 'now', ...selection }: FollowOptions<N>,
  signal: AbortSignal,
): AsyncGenerator<Change<N>, void> {
  const coverage = createCoverage();
  // Before the first page: what is told from here on is not missed.
  const start = await positionFor(bus, from === 'snapshot' ? 'now' : from, signal);
  if (from === 'snapshot') {
    if (api === null) throw new TypeError(NO_API);
    for await (const { changes, covers } of readSnapshot(api, selection, null, signal)) {
      if (covers) coverage.add(covers);
      yield* changes;
    }
  }
  for await (const { changes } of tail(bus, selection, start, signal))
    yield* changes.filter(({ event }) => !coverage.has(event));
}
