/** `GET /v1/changes`: which changes, and from where on. */
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
