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
  try {
    const { message } = await link.api<StoredMessage>(`STREAM.MSG.GET.${stream}`, { seq: Number(sequence) });
    return {
      stream,
      subject: message.subject,
      sequence: BigInt(message.seq),
      time: new Date(message.time),
      data: Buffer.from(message.data ?? '', 'base64'),
      headers: message.hdrs ? plainHeaders(MsgHdrsImpl.decode(Buffer.from(message.hdrs, 'base64'))) : {},
    };
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
  try {
    await link.api(`STREAM.MSG.DELETE.${stream}`, { seq: Number(sequence), no_erase: true });
    return true;
  } catch (error) {
    if (error instanceof BusError && error.serverCode === SERVER_CODES.noMessage) return false;
    throw error;
  }
}

/** Removes all messages on a subject (wildcards allowed); returns how many. */
export async function purge(link: Link, stream: StreamName, subject: string): Promise<number> {
  const { purged } = await link.api<PurgeResponse>(`STREAM.PURGE.${stream}`, { filter: subject });
  return purged;
}
