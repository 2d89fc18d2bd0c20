/** What another service does with Mailstream over NATS: ask for a sync, follow changes. */
import { connectBus } from '@mailstream/bus';
import { type AccountRef, type ChangeName, subjects } from '@mailstream/contracts';
import type { Change, Selection } from './change.ts';
import { type FollowOptions, follow } from './follow.ts';
import { createProjection, type Projection, type ProjectOptions } from './project.ts';
import type { PgClient } from './projection-rows.ts';
import { type Replay, type ReplayOptions, replay } from './replay.ts';
import { type ApiOptions, NO_API, readSnapshot, type SnapshotPage } from './snapshot.ts';
import { type ChangeHandler, type SubscribeOptions, subscribe } from './subscribe.ts';

export interface ConnectOptions {
  /** For example `nats://127.0.0.1:4222`, or `tls://nats.example.com`: then the server's certificate is verified. */
  readonly natsUrl: string;
  /** What `mailstream nats-user add` wrote: the seed of an NKey. */
  readonly nkeySeed?: string;
  /** PEM file of the authorities to trust for `tls://`, in place of those of Node. */
  readonly caFile?: string;
  /** Where snapshots are read: needed for nothing else. */
  readonly api?: ApiOptions;
  /** Shown in the server's list of connections. */
  readonly name?: string;
}

export interface SyncTrigger extends AccountRef {
  /** `push` (default): something changed, look where changes are likely. `user`: a person asks, look everywhere. */
  readonly reason?: 'push' | 'user';
}

export interface Mailstream extends AsyncDisposable {
  /**
   * Asks for an account to be looked at now. Resolves with the hint's sequence when it is stored; asking twice is harmless. Throws
   * `BusError` (`BusUnsureError` when it may or may not be stored: ask again).
   */
  requestSync(trigger: SyncTrigger): Promise<bigint>;
  /**
   * Changes in order, each once, for as long as somebody reads; nothing is kept of it. Ends when `signal` aborts. Throws `ChangesLostError` rather than
   * leave something out, and `BusError` when the server refuses for good.
   */
  follow<N extends ChangeName>(options: FollowOptions<N>, signal: AbortSignal): AsyncIterable<Change<N>>;
  /**
   * Calls `handler` for every change at least once, those of an account in order, several accounts at a time. How far it came outlives the process.
   * A change may come again after a process died: `sequence` tells. Runs until `signal` aborts, then waits for the handlers under way. Throws
   * `ChangesLostError` when what was to come next is not kept any more, and `BusError` when the server refuses for good.
   */
  subscribe<N extends ChangeName>(
    options: SubscribeOptions<N>,
    handler: ChangeHandler<N>,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * All that is there, page by page, as `account.added`, `mailbox.created` and `message.created`. Go on with the changes after the `position` of the first page,
   * without those that `createCoverage` of the pages has: or leave all of this to `follow` and `project`. Throws `SnapshotError`.
   */
  snapshot<N extends ChangeName>(
    selection: Selection<N>,
    signal: AbortSignal,
  ): AsyncIterable<SnapshotPage<N>>;
  /** Folds changes into PostgreSQL, exactly once. Throws `TypeError` for options that cannot be. */
  project<C extends PgClient, N extends ChangeName>(options: ProjectOptions<C, N>): Projection;
  /**
   * Sets a durable subscription to another place, back or forward, also while it runs: it goes on from there within seconds, and gives again what it
   * gave before. `dryRun`: only says what that would mean. Null when nothing is known of the name. Throws `ChangesLostError` when what is
   * asked for is not kept any more.
   */
  replay(options: ReplayOptions, signal: AbortSignal): Promise<Replay | null>;
  /** Forgets how far a subscription came: the next one under this name is new. Stop it first. */
  forget(subscription: { readonly tenant: string; readonly name: string }): Promise<void>;
  close(): Promise<void>;
}

/** Connects; throws `BusError("bus.unreachable")` when no server answers. Afterwards it reconnects by itself. */
export async function connectMailstream({
  natsUrl,
  nkeySeed,
  caFile,
  api,
  name = 'mailstream-client',
}: ConnectOptions): Promise<Mailstream> {
  const bus = await connectBus({ url: natsUrl, nkeySeed, caFile, name });
  const durable = (tenant: string) => ({ ...bus.changesOf(tenant), publishBatch: bus.publishBatch });
  return {
    requestSync: ({ tenant, account, reason = 'push' }) =>
      bus.publish({ subject: subjects.hint({ tenant, account }, reason), data: {} }),
    follow: (options, signal) => follow(bus.changesOf(options.tenant), api ?? null, options, signal),
    snapshot(selection, signal) {
      if (!api) throw new TypeError(NO_API);
      return readSnapshot(api, selection, null, signal);
    },
    project: (options) => createProjection(bus.changesOf(options.tenant), api ?? null, options),
    subscribe: (options, handler, signal) => subscribe(durable(options.tenant), options, handler, signal),
    replay: (options, signal) => replay(durable(options.tenant), options, signal),
    async forget({ tenant, name: subscription }) {
      // Emptied: only an operator may delete.
      await bus.publish({ subject: subjects.subscriber(tenant, subscription), data: null });
    },
    close: () => bus.close(),
    [Symbol.asyncDispose]: () => bus.close(),
  };
}
