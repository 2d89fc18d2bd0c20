/** `account.changed`: what happened to an account, on the log so that every fold knows. */
import { type Static, Type } from 'typebox';
import { nullable } from './common.ts';

/**
 * `connecting` until the first fetch lands, `backfilling` while the import runs, `live`, `degraded` while some fetches fail but are
 * retried, `failed` when all do and trying again will not help, `reauth_required` when the provider refuses the credentials, `paused` by a
 * person, `removing` while what is here of it is deleted, `removed`.
 */
export const ACCOUNT_STATES = [
  'connecting',
  'backfilling',
  'live',
  'degraded',
  'failed',
  'reauth_required',
  'paused',
  'removing',
  'removed',
] as const;
export const AccountState = Type.Enum(ACCOUNT_STATES);
export type AccountState = (typeof ACCOUNT_STATES)[number];

export const ACCOUNT_VERBS = ['added', 'updated', 'paused', 'resumed', 'removed'] as const;
export const AccountVerb = Type.Enum(ACCOUNT_VERBS);
export type AccountVerb = (typeof ACCOUNT_VERBS)[number];

export const AccountChanged = Type.Object({
  verb: AccountVerb,
  provider: Type.String(),
  name: Type.String(),
  from: Type.Optional(Type.Enum(ACCOUNT_STATES, { description: 'The state before, when it is another.' })),
  state: AccountState,
  reason: nullable(Type.String({ description: 'Why it is in this state, for people.' })),
});
export type AccountChanged = Static<typeof AccountChanged>;
