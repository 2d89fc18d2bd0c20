/** Watching: holds leases on accounts whose provider can push over an open connection (IMAP IDLE), and hints when something stirs. */
import type { Bus, Lease } from '@mailstream/bus';
import { subjects, WatchLease, watchConsumer } from '@mailstream/contracts';
import { type Provider, ProviderError } from '@mailstream/providers';
import { backoffMs, inSpan, type Logger, messageOf, type Part, pause } from '@mailstream/runtime';
import { Compile } from 'typebox/compile';
import type { Sessions } from './sessions.ts';

const validator = Compile(WatchLease);

/** How long after a fetcher died another takes its watches over, milliseconds. */
const HOLD_MS = 10_000;

const RECONNECT = { baseMs: 1_000, maxMs: 5 * 60_000 };

export interface WatchDeps {
  readonly bus: Bus;
  readonly sessions: Sessions;
  readonly logger: Logger;
  readonly providers: readonly Pick<Provider, 'name' | 'push'>[];
  /** Accounts watched by this process at most. */
  readonly capacity: number;
}

/** One part per provider that can be watched. */
export function createWatchers({ bus, sessions, logger, providers, capacity }: WatchDeps): Part[] {
  async function hold(lease: Lease): Promise<void> {
    const account = parse(lease.data);
    if (!account) return park(lease);
    let failures = 0;
    const wake = oneAtATime(async () => {
      // A hint that cannot be published is not lost: the poll looks anyway.
      const attributes = { 'mailstream.provider': account.provider, 'mailstream.account': account.account };
      await inSpan('notified', { kind: 'consumer', attributes, parent: null }, () =>
        bus.publish({ subject: subjects.hint(account, 'push'), data: {} }),
      ).catch((error: unknown) => {
        logger.warn({ account: account.account }, `a hint could not be published: ${messageOf(error)}`);
      });
    });
    while (!lease.signal.aborted) {
      try {
        await watchOnce(account, wake, lease.signal);
        failures = 0;
      } catch (error) {
        if (lease.signal.aborted) return;
        failures += 1;
        const known = error instanceof ProviderError;
        if (known && error.code === 'account.unknown') return lease.drop();
        logger[known ? 'info' : 'warn'](
          { account: account.account, code: known ? error.code : undefined },
          `watch ended: ${messageOf(error)}`,
        );
      }
      await pause(backoffMs(RECONNECT, Math.max(failures, 1), Math.random()), lease.signal);
    }
  }

  /** Nobody can ever hold it: it is taken off. */
  async function park({ subject, drop }: Lease): Promise<void> {
    logger.warn({ subject }, 'watch parked: not a watch lease');
    const stored = await bus.last('WATCH', subject);
    if (stored) await bus.park(stored, 'bad-payload', 'not a watch lease');
    drop();
  }

  async function watchOnce(account: WatchLease, wake: () => void, signal: AbortSignal): Promise<void> {
    const session = await sessions.open(account, signal);
    try {
      // What happened while nobody watched is found by looking once.
      wake();
      await session.watch?.(wake, signal);
    } finally {
      await session.close();
    }
  }

  const watchable = providers.filter(({ push }) => push === 'idle');
  return watchable.map(({ name }) => ({
    name: `${name} watches`,
    run: (signal) =>
      bus.holdLeases(
        { durable: watchConsumer(name), filter: `watch.${name}.*`, capacity, holdMs: HOLD_MS },
        hold,
        signal,
      ),
  }));
}

/** Calls that come while the work is under way are one more call after it, however often a server stirs. */
function oneAtATime(work: () => Promise<void>): () => void {
  let running = false;
  let again = false;
  const run = async () => {
    running = true;
    do {
      again = false;
      await work();
    } while (again);
    running = false;
  };
  return () => {
    again = true;
    if (!running) void run();
  };
}

function parse(data: Uint8Array): WatchLease | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return validator.Check(value) ? value : null;
  } catch {
    return null;
  }
}
