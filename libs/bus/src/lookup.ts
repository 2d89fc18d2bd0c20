/** Looking at what is stored, without a consumer. */
import type { StreamName } from '@mailstream/contracts';
import type { ConsumerInfo, PurgeResponse, StreamInfo } from '@nats-io/jetstream';
import { type Msg, MsgHdrsImpl } from '@nats-io/nats-core';
import { BusError, SERVER_CODES } from './errors.ts';
import type { Link } from './link.ts';
import { plainHeaders } from './message.ts';
import type { QueueState, Stored, StreamState } from './port.ts';

/** The last message on a subject. By direct get: any replica answers, and one that lags may answer with the message before. */
export async function last(link: Link, stream: StreamName, subject: string): Promise<Stored | null> {
  await link.ready();
  // The subject of the call names what is asked for, so that the server's permissions can tell who may.
  const reply = await link.ask(`$JS.API.DIRECT.GET.${stream}.${subject}`, '');
  switch (reply.headers?.code) {
    case 0:
      return fromDirect(stream, reply);
    case 404:
      return null;
    default:
      throw new BusError(
        'bus.refused',
        `${stream} ${subject}: ${reply.headers?.description ?? 'no headers'}`,
      );
  }
}

function fromDirect(stream: StreamName, reply: Msg): Stored {
  const headers = plainHeaders(reply.headers);
  return {
    stream,
    subject: headers['Nats-Subject'] ?? '',
    sequence: BigInt(headers['Nats-Sequence'] ?? 0),
    time: new Date(headers['Nats-Time-Stamp'] ?? 0),
    data: reply.data,
    headers,
  };
}

interface StoredMessage {
  readonly message: {
    readonly subject: string;
    readonly seq: number;
    readonly time: string;
    /** Base64, both; absent when empty. */
    readonly data?: string;
    readonly hdrs?: string;
  };
}

/** The message with this sequence, from the stream's leader: "there is none" must not come from a replica that lags. */
export async function at(link: Link, stream: StreamName, sequence: bigint): Promise<Stored | null> {
  // The last sequence of an empty stream, which the server calls a bad request.
  if (sequence === 0n) return null;
  const wanted = { seq: Number(sequence) };
  const stored = await orNone(link.api<StoredMessage>(`STREAM.MSG.GET.${stream}`, wanted));
  if (!stored) return null;
  const { message } = stored;
  return {
    stream,
    subject: message.subject,
    sequence: BigInt(message.seq),
    time: new Date(message.time),
    data: Buffer.from(message.data ?? '', 'base64'),
    headers: message.hdrs ? plainHeaders(MsgHdrsImpl.decode(Buffer.from(message.hdrs, 'base64'))) : {},
  };
}

/** Null where the server says that there is no such message. */
async function orNone<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof BusError && error.serverCode === SERVER_CODES.noMessage) return null;
    throw error;
  }
}

export async function state(link: Link, stream: StreamName): Promise<StreamState> {
  const info = await link.api<StreamInfo>(`STREAM.INFO.${stream}`);
  return {
    created: info.created,
    first: BigInt(info.state.first_seq),
    last: BigInt(info.state.last_seq),
    messages: info.state.messages,
    bytes: info.state.bytes,
  };
}

export async function queue(link: Link, stream: StreamName, durable: string): Promise<QueueState> {
  try {
    const info = await link.api<ConsumerInfo>(`CONSUMER.INFO.${stream}.${durable}`);
    const { last_active: takenAt } = info.delivered;
    return {
      waiting: info.num_pending,
      held: info.num_ack_pending,
      isAsked: info.num_waiting > 0,
      takenAt: takenAt ? new Date(String(takenAt)) : null,
    };
  } catch (error) {
    if (error instanceof BusError && error.serverCode === SERVER_CODES.consumerNotFound)
      return { waiting: 0, held: 0, isAsked: false, takenAt: null };
    throw error;
  }
}

/** Removes one message; false when it is not there. */
export async function remove(link: Link, stream: StreamName, sequence: bigint): Promise<boolean> {
  const unwanted = { seq: Number(sequence), no_erase: true };
  return (await orNone(link.api(`STREAM.MSG.DELETE.${stream}`, unwanted))) !== null;
}

interface Consumers {
  readonly consumers: readonly ConsumerInfo[];
}

/**
 * Removes what a work queue's consumers were told is done and the server kept, and returns how many. A server that cannot write, because its disk is
 * full, answers acknowledgements and removes nothing (nats-server 2.15, one replica: `stream.ackMsg` drops the error): nobody is given that again, and
 * where there is one message per subject it keeps new ones out.
 */
export async function removeAcknowledged(link: Link, stream: StreamName): Promise<number> {
  const { consumers } = await link.api<Consumers>(`CONSUMER.LIST.${stream}`, {});
  let removed = 0;
  for (const { config, ack_floor: floor } of consumers) {
    for (const filter of config.filter_subjects ?? [config.filter_subject ?? '>']) {
      const oldest = { seq: 1, next_by_subj: filter };
      const kept = await orNone(link.api<StoredMessage>(`STREAM.MSG.GET.${stream}`, oldest));
      // Looked at first: any purge makes the server forget what it was about to give out again.
      if (kept && kept.message.seq <= floor.stream_seq)
        removed += await purge(link, stream, filter, floor.stream_seq + 1);
    }
  }
  return removed;
}

/** Removes all messages on a subject (wildcards allowed), or those `before` a sequence; returns how many. */
export async function purge(
  link: Link,
  stream: StreamName,
  subject: string,
  before?: number,
): Promise<number> {
  const which = { filter: subject, ...(before !== undefined && { seq: before }) };
  const { purged } = await link.api<PurgeResponse>(`STREAM.PURGE.${stream}`, which);
  return purged;
}
