/** What passes between orchestrator and fetchers: jobs, reports and the credentials request. Not for other services. */
import { type Static, Type } from 'typebox';
import { FailureClass, nullable } from './facts/common.ts';
import { Spending, Spent } from './spending.ts';
import { HINT_REASONS, LANES, type Lane } from './subjects.ts';

/** The scope that lists an account's mailboxes; every other scope is one mailbox's key. */
export const MAILBOXES_SCOPE = 'mailboxes';

/** What is known, when a job is offered, of what was spent of the provider's allowance in the last minute. */
export const SpentSoFar = Type.Object({
  spent: Type.Array(Spent, { description: 'Of the account.' }),
  projectUnits: Type.Integer({ description: 'Units of all accounts of the provider together, about.' }),
});
export type SpentSoFar = Static<typeof SpentSoFar>;

export const FetchJob = Type.Object({
  run: Type.String({ description: 'Unique per dispatch; echoed in cursors, failures and the report.' }),
  tenant: Type.String(),
  account: Type.String(),
  provider: Type.String(),
  scope: Type.String(),
  address: nullable(
    Type.String({ description: "The provider's address of the scope; null for the list of mailboxes." }),
  ),
  lane: Type.Enum(LANES),
  reason: Type.Enum(HINT_REASONS),
  credentialVersion: Type.Integer({ description: 'A session opened with an older one is closed first.' }),
  attempt: Type.Optional(
    Type.Integer({ minimum: 1, description: 'One more than the failures in a row before it.' }),
  ),
  spentSoFar: Type.Optional(SpentSoFar),
});
export type FetchJob = Static<typeof FetchJob>;

/** The durable consumer of `FETCH` that all fetchers share for one provider and lane. */
export function fetchConsumer(provider: string, lane: Lane): string {
  return `fetcher-${provider}-${lane}`;
}

/** The consumer of WATCH that accounts of a provider are held by. */
export function watchConsumer(provider: string): string {
  return `watcher-${provider}`;
}

/** A job is over. Lossy by nature: a job that nothing is heard of is offered again. */
export const FetchReport = Type.Object({
  run: Type.String(),
  outcome: Type.Enum(['advanced', 'nothing', 'fenced', 'failed'], {
    description: 'Of `failed` only the spending counts: the failure itself is a fact on the log.',
  }),
  done: Type.Boolean({ description: 'False: there is more to fetch in this scope.' }),
  resumeAfterMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      description:
        'What is not done is not to go on before: what an import may spend is spent, or something is awaited.',
    }),
  ),
  remainingMs: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: 'How long the rest of the import takes at least, by what the provider allows.',
    }),
  ),
  spending: Type.Optional(Spending),
});
export type FetchReport = Static<typeof FetchReport>;

/** One message per watched account on `WATCH`; holding it un-acked is the lease. */
export const WatchLease = Type.Object({
  tenant: Type.String(),
  account: Type.String(),
  provider: Type.String(),
  credentialVersion: Type.Integer(),
});
export type WatchLease = Static<typeof WatchLease>;

/** What a fetcher asks the token broker with. */
export const CredentialsRequest = Type.Object({
  fetcher: Type.Optional(
    Type.String({ maxLength: 200, description: 'Who asks, for the audit trail: its host and process.' }),
  ),
  refused: Type.Optional(
    Type.String({
      description:
        '`hashToken` of the access token that the provider refused: only then is another issued before its time.',
    }),
  ),
});
export type CredentialsRequest = Static<typeof CredentialsRequest>;

/** What a fetcher gets from the token broker: where to connect and with what. Kept in memory only. */
export const CredentialsReply = Type.Union([
  Type.Object({
    ok: Type.Literal(true),
    settings: Type.Unknown(),
    credential: Type.Unknown(),
    credentialVersion: Type.Integer(),
  }),
  Type.Object({
    ok: Type.Literal(false),
    failure: FailureClass,
    code: Type.String(),
    message: Type.String(),
    retryAfterMs: Type.Optional(Type.Integer({ description: 'What the provider asked us to wait.' })),
  }),
]);
export type CredentialsReply = Static<typeof CredentialsReply>;

/** A message that could not be used, on `DEAD`. `payload` is base64 of its first 64 KiB. */
export const DeadLetter = Type.Object({
  stream: Type.String(),
  sequence: Type.String(),
  subject: Type.String(),
  reason: Type.String(),
  detail: Type.String(),
  parkedAt: Type.String(),
  payload: Type.String(),
  truncated: Type.Boolean(),
});
export type DeadLetter = Static<typeof DeadLetter>;
