/** API keys, for machines that call the API: as they are made, listed, and asked about between services. */
import { type Static, Type } from 'typebox';
import { nullable } from './facts/common.ts';
import { SCOPES } from './scopes.ts';

const Scopes = Type.Array(Type.Enum(SCOPES), {
  minItems: 1,
  uniqueItems: true,
  description: 'What it may do; none includes another.',
});

export const ApiKeyCreate = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 200, description: 'For people: what it is for.' }),
    scopes: Scopes,
    expiresAt: Type.Optional(
      Type.String({ format: 'date-time', description: 'Left out, it lasts until it is revoked.' }),
    ),
  },
  { additionalProperties: false },
);
export type ApiKeyCreate = Static<typeof ApiKeyCreate>;

export const ApiKey = Type.Object({
  prefix: Type.String({ description: 'Names the key; the part between `ms_` and the next `_`.' }),
  name: Type.String(),
  scopes: Scopes,
  createdBy: Type.String(),
  createdAt: Type.String(),
  expiresAt: nullable(Type.String()),
  lastUsedAt: nullable(Type.String({ description: 'Within ten minutes.' })),
});
export type ApiKey = Static<typeof ApiKey>;

/** The one answer that holds the key itself. */
export const ApiKeyCreated = Type.Object({ ...ApiKey.properties, key: Type.String() });
export type ApiKeyCreated = Static<typeof ApiKeyCreated>;

/** What a service asks the orchestrator: whose key has this SHA-256, in hexadecimal. */
export const ApiKeyRequest = Type.Object({ digest: Type.String() });
export type ApiKeyRequest = Static<typeof ApiKeyRequest>;

/** Null for a key that was never made, was revoked or has expired. */
export const ApiKeyReply = Type.Object({
  key: nullable(
    Type.Object({
      tenant: Type.String(),
      prefix: Type.String(),
      scopes: Type.Array(Type.Enum(SCOPES)),
      expiresAt: nullable(Type.String()),
    }),
  ),
});
export type ApiKeyReply = Static<typeof ApiKeyReply>;

/** `GET /v1/caller`: who the token or API key of this call is for. */
export const Caller = Type.Object({
  tenant: Type.String(),
  subject: Type.String(),
  scopes: Type.Array(Type.String()),
});
export type Caller = Static<typeof Caller>;
