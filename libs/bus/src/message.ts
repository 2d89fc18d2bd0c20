/** Between our messages and those on the wire: JSON and headers out, places in the stream in. */
import { type Msg, type MsgHdrs, MsgHdrsImpl } from '@nats-io/nats-core';
import { BusError } from './errors.ts';
import type { Outgoing, Stored } from './port.ts';

/** A message ready to be sent. */
export interface Encoded {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** Room for the headers the bus itself adds: batch, fence, schedule. */
const PROTOCOL_BYTES = 512;

const LINE_BREAK = /[\r\n]/;

/** Throws (`bus.too_large`) before anything is sent, so that a batch never stops half way. */
export function encode({ subject, data, headers = {} }: Outgoing, maxPayload: number): Encoded {
  const payload = data instanceof Uint8Array ? data : Buffer.from(JSON.stringify(data) ?? '');
  let size = payload.length + PROTOCOL_BYTES;
  for (const [name, value] of Object.entries(headers)) {
    if (LINE_BREAK.test(value)) throw new TypeError(`${subject}: the header ${name} holds a line break`);
    size += name.length + Buffer.byteLength(value) + 4;
  }
  if (size > maxPayload)
    throw new BusError('bus.too_large', `${subject}: ${size} bytes; the server takes ${maxPayload}`);
  return { subject, payload, headers };
}

/** Past the client's own setters, which validate and search per header and cost more than the rest of a publish. */
export function wireHeaders(headers: Readonly<Record<string, string>>): MsgHdrs {
  const record: Record<string, string[]> = {};
  for (const name in headers) record[name] = [headers[name] ?? ''];
  return MsgHdrsImpl.fromRecord(record);
}

/** Where a delivered message stands in its stream and its consumer. */
export interface Place {
  readonly stream: string;
  readonly sequence: bigint;
  /** Counts what the consumer delivered, from 1, without gaps. */
  readonly consumerSequence: number;
  readonly deliveries: number;
  readonly time: Date;
}

/**
 * Reads the place from a reply subject (nats.io reference "JetStream wire API", acknowledgement subjects): `$JS.ACK.<stream>.<consumer>.<deliveries>.
 * <stream seq>.<consumer seq>.<ns>.<pending>`, with `<domain>.<account>` before the stream in its newer form. Null: not a delivery.
 */
export function placeOf(reply: string | undefined): Place | null {
  if (!reply?.startsWith('$JS.ACK.')) return null;
  const tokens = reply.split('.');
  const at = tokens.length >= 11 ? 4 : 2;
  const [stream = '', , deliveries, sequence = '0', consumerSequence, nanoseconds = '0'] = tokens.slice(at);
  return {
    stream,
    sequence: BigInt(sequence),
    consumerSequence: Number(consumerSequence),
    deliveries: Number(deliveries),
    time: new Date(Number(nanoseconds.slice(0, -6))),
  };
}

/** A delivery as readers get it. `data` is a view of what came from the socket; headers are parsed when they are asked for. */
export function toStored(msg: Msg, { stream, sequence, time }: Place): Stored {
  let headers: Stored['headers'] | undefined;
  return {
    stream,
    subject: msg.subject,
    sequence,
    time,
    data: msg.data,
    get headers() {
      headers ??= plainHeaders(msg.headers);
      return headers;
    },
  };
}

/** The first value of each header. */
export function plainHeaders(headers: MsgHdrs | undefined): Readonly<Record<string, string>> {
  const plain: Record<string, string> = {};
  for (const name of headers?.keys() ?? []) plain[name] = headers?.get(name) ?? '';
  return plain;
}
