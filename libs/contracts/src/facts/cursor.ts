/** `cursor.advanced` and `cursor.seeded`: the last event of every page, and the chain that ties pages together. */
import { type Static, Type } from 'typebox';
import { nullable, Origin } from './common.ts';

const chain = {
  scope: Type.String({ minLength: 1 }),
  page: Type.String({ minLength: 1, description: "This page's id." }),
  prev: nullable(Type.String({ description: 'Id of the page it continues; null for the first of a scope.' })),
  cursor: Type.Unknown({
    description: "The provider's cursor after this page; opaque to everybody but the provider.",
  }),
};

/** Closes a page: everything before it in the batch was observed between cursor `prev` and this cursor. */
export const CursorAdvanced = Type.Object({
  ...chain,
  origin: Origin,
  run: Type.String({ description: 'The fetch run it is part of.' }),
  startedAt: Type.Optional(Type.String({ description: 'When the run began, RFC 3339, UTC.' })),
  count: Type.Integer({ minimum: 0, description: 'Events of this page before the cursor.' }),
  done: Type.Boolean({ description: 'Nothing was left to fetch when this page was made.' }),
  estimate: nullable(Type.Integer({ minimum: 0, description: 'Messages still to import, about.' })),
  part: Type.Optional(
    Type.Boolean({
      description: "The provider's page was too large for one batch; more follows with the same cursor.",
    }),
  ),
});
export type CursorAdvanced = Static<typeof CursorAdvanced>;

export const SEED_REASONS = ['recreated', 'truncated', 'expired', 'restored', 'unchained', 'drift'] as const;

/**
 * The cursor of the view put back into the log, so that providers are asked again from there: because the log was not what it was,
 * because (`unchained`) its last cursor belongs to a page that does not continue what the view holds, or because (`drift`) the provider holds
 * what the view lacks.
 */
export const CursorSeeded = Type.Object({
  ...chain,
  reason: Type.Enum(SEED_REASONS),
  missing: Type.Optional(
    Type.Array(Type.String(), {
      minItems: 1,
      maxItems: 1_000,
      description:
        'Of `drift`: ids of copies that the view lacks. Should there be more, the next comparison finds them.',
    }),
  ),
});
export type CursorSeeded = Static<typeof CursorSeeded>;
