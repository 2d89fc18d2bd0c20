/** Storing one message, with the server's answer read by ourselves. */
import { BusError, BusUnsureError, fromServer, type ServerError } from './errors.ts';
import type { Link } from './link.ts';
import { encode, wireHeaders } from './message.ts';
import type { Outgoing } from './port.ts';

/** What the server answers to a publish; for a batch, to its last message. */
export interface PublishAck {
  readonly error?: ServerError;
  readonly stream: string;
  readonly seq: number;
  readonly batch?: string;
  readonly count?: number;
}

/** Stores one message and returns its sequence. Throws `BusError`, or `BusUnsureError` when no answer came. */
export async function publish(link: Link, message: Outgoing): Promise<bigint> {
  await link.ready();
  const { subject, payload, headers } = encode(message, link.maxPayload());
  const ack = await askToStore(link, subject, payload, headers);
  if (ack?.error) throw fromServer(subject, ack.error);
  if (!ack?.stream) throw new BusUnsureError(`${subject}: the answer is not a stream's`);
  return BigInt(ack.seq);
}

/** Asks the server to store; null for an empty answer (a batch was begun). An answer that did not come is `BusUnsureError`. */
export async function askToStore(
  link: Link,
  subject: string,
  payload: Uint8Array,
  headers: Readonly<Record<string, string>>,
): Promise<PublishAck | null> {
  try {
    const reply = await link.ask(subject, payload, { headers: wireHeaders(headers) });
    return reply.data.length > 0 ? reply.json<PublishAck>() : null;
  } catch (error) {
    if (error instanceof BusError && error.code === 'bus.timeout')
      throw new BusUnsureError(error.message, { cause: error });
    throw error;
  }
}
