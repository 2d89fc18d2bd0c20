/** What work and leases share: a durable consumer that several processes pull from, as many messages at a time as there is room for. */
import type { StreamName } from '@mailstream/contracts';
import { backoffMs, type Logger, messageOf, pause } from '@mailstream/runtime/base';
import { AckPolicy, type ConsumerConfig, DeliverPolicy, ReplayPolicy } from '@nats-io/jetstream';
import { type Msg, nanos } from '@nats-io/nats-core';
import type { Link } from './link.ts';
import { openPull, type Pull } from './pull.ts';

export interface DurableQueue {
  readonly stream: StreamName;
  readonly durable: string;
  readonly filter: string | readonly string[];
  readonly holdMs: number;
  /** How many messages this process holds at most. */
  readonly capacity: number;
}

export const settle = {
  /** Given to another after `delayMs`. */
  giveBack: (delayMs: number) => (delayMs > 0 ? `-NAK {"delay":${nanos(delayMs)}}` : '-NAK'),
  done: '+ACK',
  inProgress: '+WPI',
} as const;

const REOPEN = { baseMs: 250, maxMs: 5_000 };

/**
 * Hands messages to `handle` until `signal` aborts, across restarts of the server and new streams; then gives back what was not begun
 * and waits for the handlers. `handle` settles its message itself and does not throw.
 */
export async function consumeQueue(
  link: Link,
  logger: Logger,
  queue: DurableQueue,
  handle: (msg: Msg) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const running = new Set<Promise<void>>();
  let pull: Pull | undefined;

  const begin = (msg: Msg) => {
    if (signal.aborted) return link.tell(msg.reply ?? '', settle.giveBack(0));
    const one = handle(msg).finally(() => {
      running.delete(one);
      pull?.refill();
    });
    running.add(one);
  };
  const untilLost = () =>
    new Promise<string | null>((resolve) => {
      const opened = openPull(link, {
        stream: queue.stream,
        consumer: queue.durable,
        low: 0,
        room: () => queue.capacity - running.size,
        onMessage: begin,
        onLost(reason) {
          signal.removeEventListener('abort', stop);
          resolve(reason);
        },
      });
      const stop = () => void opened.drain().then(() => resolve(null));
      signal.addEventListener('abort', stop, { once: true });
      pull = opened;
    });

  let failures = 0;
  while (!signal.aborted) {
    let problem: string | null;
    try {
      await link.ready(signal);
      await ensureDurable(link, queue);
      failures = 0;
      problem = await untilLost();
    } catch (error) {
      problem = messageOf(error);
    }
    if (problem === null || signal.aborted) break;
    failures += 1;
    logger.warn({ stream: queue.stream, durable: queue.durable, problem }, 'a queue is opened again');
    await pause(backoffMs(REOPEN, failures, Math.random()), signal);
  }
  await Promise.all(running);
}

/** Creates the consumer, or updates it when a setting has changed; several processes may do so at once. */
async function ensureDurable(link: Link, { stream, durable, filter, holdMs }: DurableQueue): Promise<void> {
  const config: Partial<ConsumerConfig> = {
    name: durable,
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(holdMs),
    deliver_policy: DeliverPolicy.All,
    filter_subjects: [filter].flat(),
    // Each process takes only what it has room for; a bound for all of them together would keep leases from those with room.
    max_ack_pending: -1,
    max_deliver: -1,
    replay_policy: ReplayPolicy.Instant,
  };
  await link.api(`CONSUMER.CREATE.${stream}.${durable}`, { stream_name: stream, config });
}
