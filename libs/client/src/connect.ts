/** What another service does with Mailstream over NATS: ask for a sync, follow changes. */
import { connectBus } from '@mailstream/bus';
import { type AccountRef, subjects } from '@mailstream/contracts';
import { type Change, type FollowOptions, follow } from './follow.ts';

export interface ConnectOptions {
  /** For example `nats://127.0.0.1:4222`. */
  readonly natsUrl: string;
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
  /** Changes of a tenant or of one account, in order, each once. See `follow`. */
  follow(options: FollowOptions, signal: AbortSignal): AsyncIterable<Change>;
  close(): Promise<void>;
}

/** Connects; throws `BusError("bus.unreachable")` when no server answers. Afterwards it reconnects by itself. */
export async function connectMailstream({
  natsUrl,
  name = 'mailstream-client',
}: ConnectOptions): Promise<Mailstream> {
  const bus = await connectBus({ url: natsUrl, name });
  return {
    requestSync: ({ tenant, account, reason = 'push' }) =>
      bus.publish({ subject: subjects.hint({ tenant, account }, reason), data: {} }),
    follow: (options, signal) => follow(bus, options, signal),
    close: () => bus.close(),
    [Symbol.asyncDispose]: () => bus.close(),
  };
}
