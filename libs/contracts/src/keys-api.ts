/** The REST API's shapes for key-encryption keys: which are in use, and what wrapping again did. */
import { type Static, Type } from 'typebox';
import { nullable } from './facts/common.ts';

/** One key-encryption key. */
export const KeyStatus = Type.Object({
  id: Type.String(),
  current: Type.Boolean({ description: 'What is stored now is sealed under it.' }),
  configured: Type.Boolean({ description: 'It is there; if not, what is sealed under it cannot be opened.' }),
  inUse: Type.Integer({
    description: 'Credentials, secrets of webhooks and sign-ins under way that are sealed under it.',
  }),
});
export type KeyStatus = Static<typeof KeyStatus>;

/** `GET /v1/keys`: the current key first. */
export const KeysStatus = Type.Object({ keys: Type.Array(KeyStatus) });
export type KeysStatus = Static<typeof KeysStatus>;

/** `POST /v1/keys/rotate`: one batch of credentials to wrap again with the current key. */
export const KeysRotate = Type.Object(
  {
    after: Type.Optional(Type.String({ format: 'uuid', description: '`next` of the answer before.' })),
    limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 200 })),
  },
  { additionalProperties: false },
);
export type KeysRotate = Static<typeof KeysRotate>;

export const KeysRotated = Type.Object({
  current: Type.String({ description: 'Id of the key that wraps.' }),
  rewrapped: Type.Integer(),
  failed: Type.Array(
    Type.Object({
      account: Type.String({ format: 'uuid', description: 'Or the webhook endpoint.' }),
      key: Type.String(),
      code: Type.String(),
      message: Type.String(),
    }),
    { description: 'What could not be: it stays as it is.' },
  ),
  next: nullable(Type.String({ description: 'Pass it as `after`; null: that was the last batch.' })),
});
export type KeysRotated = Static<typeof KeysRotated>;
