/** Messages of pulled subscriptions: leased by a pull, until they are acknowledged or the lease ends. */
import type { PushBehaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { PubSubMessage, Subscription } from './broker.ts';

export interface Received {
  readonly ackId: string;
  readonly message: PubSubMessage;
  readonly deliveryAttempt: number;
}

export interface Backlog {
  add(subscription: Subscription, message: PubSubMessage): void;
  /** Up to `most` messages nobody holds, oldest first; waits for the first one unless `atOnce`, a minute and a half at most. */
  pull(subscription: Subscription, most: number, atOnce: boolean): Promise<Received[]>;
  /** Unknown and outdated ids do nothing. */
  acknowledge(subscription: Subscription, ackIds: readonly string[]): void;
  /** 0 seconds gives them back. */
  extend(subscription: Subscription, ackIds: readonly string[], seconds: number): void;
  /** How many are not acknowledged. */
  size(name: string): number;
}

interface Entry {
  readonly message: PubSubMessage;
  readonly arrivedAt: number;
  attempts: number;
  ackId: string | null;
  heldUntil: number;
}

const LONGEST_PULL_MS = 90_000;

export function createBacklog(clock: Clock, behaviour: () => PushBehaviour): Backlog {
  const backlogs = new Map<string, Entry[]>();
  let waiting: (() => void)[] = [];
  let leases = 0;

  const entriesOf = (name: string) => {
    const oldest = clock.now() - behaviour().keptMs;
    const kept = (backlogs.get(name) ?? []).filter((entry) => entry.arrivedAt > oldest);
    backlogs.set(name, kept);
    return kept;
  };
  const wake = () => {
    for (const go of waiting) go();
    waiting = [];
  };
  const take = ({ name, ackDeadlineSeconds }: Subscription, most: number): Received[] => {
    const free = entriesOf(name).filter((entry) => entry.heldUntil <= clock.now());
    return free.slice(0, most).map((entry) => {
      const ackId = Buffer.from(`${name} ${++leases}`).toString('base64url');
      entry.ackId = ackId;
      entry.attempts++;
      entry.heldUntil = clock.now() + ackDeadlineSeconds * 1_000;
      clock.at(entry.heldUntil, wake);
      return { ackId, message: entry.message, deliveryAttempt: entry.attempts };
    });
  };
  return {
    add: ({ name }, message) => {
      const entry = { message, arrivedAt: clock.now(), attempts: 0, ackId: null, heldUntil: 0 };
      backlogs.set(name, [...entriesOf(name), entry]);
      wake();
    },
    pull: async (subscription, most, atOnce) => {
      const until = clock.now() + LONGEST_PULL_MS;
      for (;;) {
        const received = take(subscription, most);
        if (received.length > 0 || atOnce || clock.now() >= until) return received;
        const { promise, resolve } = Promise.withResolvers<void>();
        waiting.push(resolve);
        const cancel = clock.at(until, resolve);
        await promise;
        cancel();
      }
    },
    acknowledge: ({ name }, ackIds) => {
      const done = new Set<string | null>(ackIds);
      backlogs.set(
        name,
        entriesOf(name).filter((entry) => entry.ackId === null || !done.has(entry.ackId)),
      );
    },
    extend: ({ name }, ackIds, seconds) => {
      for (const entry of entriesOf(name)) {
        if (entry.ackId === null || !ackIds.includes(entry.ackId)) continue;
        entry.heldUntil = clock.now() + seconds * 1_000;
        clock.at(entry.heldUntil, wake);
      }
      wake();
    },
    size: (name) => entriesOf(name).length,
  };
}
