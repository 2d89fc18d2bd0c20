/** `account.changed`: what happened to an account, on the log so that every fold knows. */
import { type Static, Type } from 'typebox';
import { nullable } from './common.ts';

/**
 * `connecting` until the first fetch lands, `backfilling` while the import runs, `live`, `degraded` while fetches fail but are
 * retried, `reauth_required` when the provider refuses the credentials, `paused` by a person, `removed`.
 */
export const ACCOUNT_STATES = [
  'connecting',
  'backfilling',
  'live',
  'degraded',
  'reauth_required',
  'paused',
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
  state: AccountState,
  reason: nullable(Type.String({ description: 'Why it is in this state, for people.' })),
});
export type AccountChanged = Static<typeof AccountChanged>;
