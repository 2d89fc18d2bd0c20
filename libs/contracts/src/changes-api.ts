/** `GET /v1/changes` and `/v1/changes/ws`: which changes, from where on, and how they are told. */
import { type Static, Type } from 'typebox';
import { CHANGE_VERBS } from './changes/changes.ts';

/** The short names of all changes: `message.created`. */
export const CHANGE_NAMES: readonly string[] = Object.entries(CHANGE_VERBS).flatMap(([entity, verbs]) =>
  verbs.map((verb) => `${entity}.${verb}`),
);

export const ChangesQuery = Type.Object(
  {
    from: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 120,
        default: 'now',
        description:
          '`now`, `beginning` (the oldest that is kept), a time (RFC 3339), or the `id` of the last event that was seen. `Last-Event-ID` goes before it.',
      }),
    ),
    accounts: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 4_000,
        description: 'Ids, with commas between them; default: all of the tenant, those to come as well.',
      }),
    ),
    types: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 1_000,
        description: 'Such as `message.created,message.deleted`; default: all.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type ChangesQuery = Static<typeof ChangesQuery>;

/** One line of `application/x-ndjson`, or one message of the WebSocket: a change, how far the stream is, or why it ends. */
export const ChangeLine = Type.Object({
  id: Type.Optional(Type.String({ description: 'What to go on from: `Last-Event-ID`, or `from`.' })),
  event: Type.Optional(
    Type.Unknown({ description: 'The CloudEvent; absent when this only says how far the stream is.' }),
  ),
  closing: Type.Optional(
    Type.Object(
      { code: Type.String(), message: Type.String() },
      { description: 'Why it ends. Nothing follows.' },
    ),
  ),
});
export type ChangeLine = Static<typeof ChangeLine>;

/** What a WebSocket of changes speaks; browsers offer it beside `bearer.<token>`. */
export const CHANGES_PROTOCOL = 'mailstream.changes.v1';
