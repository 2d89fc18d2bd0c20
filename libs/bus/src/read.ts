/** The ordered reader: a consumer that lives as long as the reading, and an end as soon as its order cannot be vouched for. */
import { randomUUID } from 'node:crypto';
import type { StreamName } from '@mailstream/contracts';
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerInfo,
  DeliverPolicy,
  ReplayPolicy,
} from '@nats-io/jetstream';
import { nanos } from '@nats-io/nats-core';
import { BusError } from './errors.ts';
import type { Link } from './link.ts';
import { placeOf, toStored } from './message.ts';
import type { Stored } from './port.ts';
import { openPull } from './pull.ts';

/** What may lie here unread, messages and bytes. */
const BUFFER_MESSAGES = 1_024;
const BUFFER_BYTES = 8 * 1_048_576;

/** The server forgets a reader that asked for nothing for so long, milliseconds. */
const INACTIVE_MS = 120_000;

/** See `Bus.read`. */
export async function* readStream(
  link: Link,
  stream: StreamName,
  filter: string | readonly string[],
  from: bigint | Date,
  signal: AbortSignal,
): AsyncGenerator<readonly Stored[]> {
  if (signal.aborted) return;
  const { name: consumer } = await createReader(link, stream, filter, from, INACTIVE_MS);
  try {
    yield* readConsumer(link, stream, consumer, signal);
  } finally {
    link.tell(`$JS.API.CONSUMER.DELETE.${stream}.${consumer}`, '');
  }
}

/**
 * Yields what has arrived, in order, until `signal` aborts. Throws `bus.reader_lost` when messages may have
 * been missed: heartbeats missed, the connection broke, the consumer or its stream was deleted, the consumer's count has a gap.
 */
export async function* readConsumer(
  link: Link,
  stream: StreamName,
  consumer: string,
  signal: AbortSignal,
): AsyncGenerator<readonly Stored[]> {
  let arrived: Stored[] = [];
  let bytes = 0;
  let expected = 1;
  let lost: string | undefined;
  let wake = () => {};

  const pull = openPull(link, {
    stream,
    consumer,
    low: BUFFER_MESSAGES / 2,
    room: () => (bytes > BUFFER_BYTES ? 0 : BUFFER_MESSAGES - arrived.length),
    onMessage(msg) {
      const place = placeOf(msg.reply);
      if (!place || place.consumerSequence !== expected)
        throw new Error(`message ${place?.consumerSequence} came instead of ${expected}`);
      expected += 1;
      bytes += msg.data.length;
      arrived.push(toStored(msg, place));
      wake();
    },
    onLost(reason) {
      lost = reason;
      wake();
    },
  });
  const stop = () => wake();
  signal.addEventListener('abort', stop);
  try {
    while (!signal.aborted) {
      if (arrived.length > 0) {
        const batch = arrived;
        arrived = [];
        bytes = 0;
        pull.refill();
        yield batch;
      } else if (lost !== undefined) {
        throw new BusError('bus.reader_lost', `${stream}: the reader was lost (${lost})`);
      } else {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    }
  } finally {
    signal.removeEventListener('abort', stop);
    pull.stop();
  }
}

/** How many messages a reader would get that begins now. */
export async function countFrom(
  link: Link,
  stream: StreamName,
  filter: string | readonly string[],
  from: bigint | Date,
): Promise<number> {
  const { name, num_pending } = await createReader(link, stream, filter, from, INACTIVE_MS);
  link.tell(`$JS.API.CONSUMER.DELETE.${stream}.${name}`, '');
  return num_pending;
}

/** In memory and on one server: with its server gone the reader is lost, and opening another costs less than keeping it safe. */
export async function createReader(
  link: Link,
  stream: StreamName,
  filter: string | readonly string[],
  from: bigint | Date,
  inactiveMs: number,
): Promise<ConsumerInfo> {
  // By chance alone: who knows the name of a reader can read on.
  const name = `reader-${randomUUID()}`;
  const config: Partial<ConsumerConfig> = {
    name,
    ack_policy: AckPolicy.None,
    ...(from instanceof Date
      ? { deliver_policy: DeliverPolicy.StartTime, opt_start_time: from.toISOString() }
      : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: Math.max(1, Number(from)) }),
    replay_policy: ReplayPolicy.Instant,
    filter_subjects: [filter].flat(),
    inactive_threshold: nanos(inactiveMs),
    mem_storage: true,
    num_replicas: 1,
  };
  return link.api<ConsumerInfo>(`CONSUMER.CREATE.${stream}.${name}`, {
    stream_name: stream,
    config,
    action: 'create',
  });
}
