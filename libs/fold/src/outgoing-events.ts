/** Turns emissions into events ready for the wire. */
import {
  changeType,
  type Envelope,
  envelope,
  MAX_EVENT_BYTES,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import type { TraceParent } from '@mailstream/runtime';
import type { Emission } from './port.ts';

/** An event as it stands in the outbox. */
export interface OutgoingEvent {
  readonly target: Emission['to'];
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** The trace it belongs to. */
  readonly traceparent?: TraceParent | undefined;
  /** The envelope as JSON. */
  readonly body: string;
}

/** Made once per emission: the event keeps its id however often it is sent. `source` is the service or fold that says it. */
export function outgoingEvent(
  emission: Emission,
  source: string,
  time: string,
  traceparent?: TraceParent,
): OutgoingEvent {
  const { tenant, account, data } = emission;
  const id = uuidv7();
  const [type, subject] =
    emission.to === 'changes'
      ? [
          changeType(emission.entity, emission.verb),
          subjects.change(emission, emission.entity, emission.verb),
        ]
      : [emission.type, subjects.fact(emission, emission.fact)];
  const event: Envelope = envelope({
    id,
    source: `/mailstream/${source}`,
    type,
    time,
    tenant,
    account,
    ...(traceparent !== undefined && { traceparent }),
    data,
  });
  return { target: emission.to, id, type, subject, traceparent, body: JSON.stringify(event) };
}

/** Whether an event is larger than anybody takes; it would stop all that is behind it. */
export function isOversized({ body }: OutgoingEvent): boolean {
  // A UTF-16 unit takes at most three bytes.
  return body.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(body) > MAX_EVENT_BYTES;
}
