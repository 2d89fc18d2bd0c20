/** Work queues: each item is handled by one process at a time, and again when it was not settled. */
import { backoffMs, isAbort, type Logger, pause } from '@mailstream/runtime/base';
import type { Msg } from '@nats-io/nats-core';
import { BusError } from './errors.ts';
import type { Link } from './link.ts';
import { type Place, placeOf, toStored } from './message.ts';
import type { QueueOptions, WorkItem } from './port.ts';
import { consumeQueue, settle } from './queue.ts';
import { processing } from './trace.ts';

const RETRY = { baseMs: 500, maxMs: 30_000 };

const ACK_TRIES = 5;
/** Milliseconds for each. */
const ACK_MS = 1_000;

export async function work(
  link: Link,
  logger: Logger,
  options: QueueOptions,
  handler: (item: WorkItem, signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const handle = async (msg: Msg) => {
    const place = placeOf(msg.reply);
    if (!place) return;
    const { item, settled } = workItem(link, msg, place, signal);
    const holding = setInterval(item.extend, options.holdMs / 3);
    try {
      await processing(item, () => handler(item, signal));
      if (!settled()) logger.warn({ subject: msg.subject }, 'a work item was left unsettled');
    } catch (error) {
      if (!isAbort(error, signal)) logger.error({ err: error, subject: msg.subject }, 'a work item failed');
    } finally {
      clearInterval(holding);
    }
    // When we are told to stop another shall have it at once; otherwise what failed may fail again.
    if (!settled()) item.retry(signal.aborted ? 0 : backoffMs(RETRY, place.deliveries, Math.random()));
  };
  await consumeQueue(link, logger, { ...options, capacity: options.concurrency }, handle, signal);
}

function workItem(
  link: Link,
  msg: Msg,
  place: Place,
  signal: AbortSignal,
): { item: WorkItem; settled: () => boolean } {
  const reply = msg.reply ?? '';
  let settled = false;
  const item: WorkItem = Object.assign(toStored(msg, place), {
    deliveries: place.deliveries,
    async ack() {
      await confirm(link, reply, signal);
      settled = true;
    },
    retry(delayMs = 0) {
      settled = true;
      link.tell(reply, settle.giveBack(delayMs));
    },
    extend() {
      if (!settled) link.tell(reply, settle.inProgress);
    },
  });
  return { item, settled: () => settled };
}

/**
 * A server that was killed may have forgotten that it delivered the item, and does not answer an acknowledgement until it has delivered
 * it again: asked again, it takes the item off then.
 */
async function confirm(link: Link, reply: string, signal: AbortSignal): Promise<void> {
  for (let left = ACK_TRIES; ; left -= 1) {
    try {
      await link.ready();
      await link.ask(reply, settle.done, { timeoutMs: ACK_MS });
      return;
    } catch (error) {
      if (left <= 1) throw error;
      // A server that is still starting says at once that nobody listens.
      if (error instanceof BusError && error.code === 'bus.no_responder') await pause(ACK_MS, signal);
    }
  }
}
