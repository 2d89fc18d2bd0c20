/** The CloudEvents 1.0 envelope that every Mailstream event wears, in structured JSON. */
import { type TSchema, Type } from 'typebox';

/** What every event carries beside its `data`. `tenant`, `account` and `page` are CloudEvents extension attributes. */
const attributes = {
  specversion: Type.Literal('1.0'),
  id: Type.String({
    minLength: 1,
    description: 'Unique with `source`; the events of a page are `<page>.<n>`.',
  }),
  source: Type.String({
    minLength: 1,
    description: 'The service that says it, for example `/mailstream/provider-fetcher`.',
  }),
  time: Type.String({ description: 'When it was said, RFC 3339, UTC.' }),
  datacontenttype: Type.Literal('application/json'),
  tenant: Type.String(),
  account: Type.String(),
  page: Type.Optional(
    Type.String({ description: 'The atomic page this event belongs to; its last event is the cursor.' }),
  ),
  traceparent: Type.Optional(Type.String({ description: 'W3C trace context.' })),
};

/** An event as it stands on the wire. */
export interface Envelope<D = unknown> {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly tenant: string;
  readonly account: string;
  readonly page?: string;
  readonly traceparent?: string;
  readonly data: D;
}

/**
 * The JSON Schema of an event: the envelope with its `type` pinned and its `data` described. What a schema does not name is allowed and to be
 * ignored, here and in `data`: a newer writer may say more than an older reader knows.
 */
export function envelopeSchema<T extends string, D extends TSchema>(type: T, data: D) {
  return Type.Object({ ...attributes, type: Type.Literal(type), data }, { $id: type });
}

/** What the caller decides of an event; the rest of the envelope is constant. */
export interface EventDraft<D> {
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly time: string;
  readonly tenant: string;
  readonly account: string;
  readonly page?: string;
  readonly traceparent?: string;
  readonly data: D;
}

/** Completes a draft to an envelope. Ids and times come in: this is a pure function. */
export function envelope<D>(draft: EventDraft<D>): Envelope<D> {
  return { specversion: '1.0', datacontenttype: 'application/json', ...draft };
}
