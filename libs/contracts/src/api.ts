/** The REST API's own shapes: requests, pages, accounts with their scopes, and the error body. */
import { type Static, type TSchema, Type } from 'typebox';
import { AccountView, MailboxView, MessageView } from './changes/views.ts';
import { AccountState } from './facts/account.ts';
import { Digits, FailureClass, nullable } from './facts/common.ts';
import { ParkedEvent } from './parked-api.ts';
import { RebuildStatus } from './rebuild-api.ts';

/** Every error answer, of every service: `code` is for programs, `message` says what happened and what to do. */
export const ApiError = Type.Object(
  {
    error: Type.Object({
      code: Type.String(),
      message: Type.String(),
      requestId: Type.Optional(Type.String()),
    }),
  },
  { $id: 'ApiError' },
);
export type ApiError = Static<typeof ApiError>;

/** A page of a list: pass `next` back as `?after=`; null when there is no more. */
export function pageOf<T extends TSchema>(item: T) {
  return Type.Object({ items: Type.Array(item), next: nullable(Type.String()) });
}

export const AccountCreate = Type.Object(
  {
    provider: Type.String({
      description:
        '`imap`; `microsoft` for an application that acts for itself (people: `/v1/connect/microsoft`).',
    }),
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        description: 'For people; default: the user at the host.',
      }),
    ),
    settings: Type.Unknown({
      description: 'What the provider needs to connect: `ImapSettings` and so on in the OpenAPI document.',
    }),
    credential: Type.Unknown({
      description: 'Secrets, such as `ImapCredential`; stored sealed, never returned.',
    }),
  },
  { additionalProperties: false },
);
export type AccountCreate = Static<typeof AccountCreate>;

export const AccountUpdate = Type.Object(
  {
    name: Type.Optional(Type.String({ minLength: 1, maxLength: 200 })),
    settings: Type.Optional(Type.Unknown()),
    credential: Type.Optional(Type.Unknown({ description: 'New secrets; ids and cursors stay.' })),
  },
  { additionalProperties: false, minProperties: 1 },
);
export type AccountUpdate = Static<typeof AccountUpdate>;

export const Failure = Type.Object({
  failure: FailureClass,
  code: Type.String(),
  message: Type.String(),
  at: Type.String(),
  attempts: Type.Integer(),
  retryAt: nullable(Type.String()),
});
export type Failure = Static<typeof Failure>;

/** One scope (mailbox, or the list of mailboxes) of an account, as `status` shows it. */
export const ScopeStatus = Type.Object({
  scope: Type.String(),
  path: nullable(Type.String()),
  inFlight: Type.Boolean(),
  backfilled: Type.Boolean(),
  estimate: nullable(Type.Integer({ description: 'Messages still to import, about.' })),
  importEndsAt: nullable(
    Type.String({ description: 'When they will be, at the earliest that the provider allows.' }),
  ),
  cursorAt: nullable(Type.String({ description: 'When its cursor last advanced.' })),
  checkedAt: nullable(Type.String({ description: 'When it was last fetched with success, changes or not.' })),
  failure: nullable(Failure),
});
export type ScopeStatus = Static<typeof ScopeStatus>;

/** Whether the provider tells of changes by webhook. */
export const WebhookStatus = Type.Object({
  until: nullable(
    Type.String({
      description: 'It does until then, and is asked to go on before. Null: only polls find changes.',
    }),
  ),
  reason: nullable(
    Type.String({ description: 'Why it does not, or why it would not go on when last asked.' }),
  ),
  endedAt: Type.Optional(
    Type.String({
      description: 'When it ended because it could not be renewed. Absent: it goes on, or was never there.',
    }),
  ),
});
export type WebhookStatus = Static<typeof WebhookStatus>;

/** What an account spent in the last minute of the units that its provider allows it. */
export const Quota = Type.Object({
  perMinute: Type.Integer({ description: 'Units allowed.' }),
  units: Type.Integer({ description: 'Units spent, as far as fetchers have reported.' }),
  methods: Type.Record(Type.String(), Type.Integer(), {
    description: "The same by method of the provider's API; `elsewhere`: by others, as the provider says.",
  }),
});
export type Quota = Static<typeof Quota>;

/**
 * What removing an account is made of, in order: fetches and watches stop; the provider notifies no more; the credential and its data key are
 * destroyed; the log is told; the view's rows are deleted; hints and schedules are; its events are.
 */
export const REMOVAL_STEPS = [
  'jobs',
  'subscription',
  'credential',
  'told',
  'view',
  'schedules',
  'log',
] as const;
export type RemovalStep = (typeof REMOVAL_STEPS)[number];

export const Account = Type.Object({
  id: Type.String({ format: 'uuid' }),
  tenant: Type.String(),
  provider: Type.String(),
  name: Type.String(),
  state: AccountState,
  reason: nullable(Type.String()),
  advice: Type.String({ description: 'What to do about it, for people.' }),
  settings: Type.Unknown(),
  push: Type.String({ description: '`webhook`, `idle` or `none`: how changes are noticed beside polling.' }),
  webhook: nullable(WebhookStatus),
  createdAt: Type.String(),
  credentialVersion: Type.Integer({ description: 'Grows with each new credential.' }),
  connect: nullable(
    Type.String({
      description: 'Where in this API its owner can sign in again; null: a new credential is given by PATCH.',
    }),
  ),
  quota: nullable(Quota),
  scopes: Type.Integer({ description: 'Mailboxes that are fetched.' }),
  scopesBackfilled: Type.Integer({ description: 'Those whose import is complete.' }),
  failure: nullable(Failure),
  removal: Type.Optional(
    Type.Array(Type.Object({ step: Type.Enum(REMOVAL_STEPS), done: Type.Boolean() }), {
      description: 'While it is removed: the steps. When all are done there is no such account.',
    }),
  ),
});
export type Account = Static<typeof Account>;

/** One partition of a fold: how far it is behind the log. */
export const FoldLag = Type.Object({
  fold: Type.String(),
  partition: Type.Integer(),
  position: Type.String(),
  lag: Type.Integer({
    description:
      "Events in its partition's part of the log it has not folded; counted over the whole stream.",
  }),
  movedAt: Type.Optional(Type.String({ description: 'When its position last moved.' })),
});
export type FoldLag = Static<typeof FoldLag>;

/** What is wrong with the log as a fold that does not run sees it; one that runs mends it within seconds. */
export const LogDamage = Type.Object({
  fold: Type.String(),
  partition: Type.Integer(),
  kind: Type.Enum(['recreated', 'truncated', 'expired', 'restored'], {
    description:
      'The stream is another one; it ends before the position of the fold; it begins after it; it has other content there.',
  }),
});
export type LogDamage = Static<typeof LogDamage>;

/** A mailbox that was not looked at for so long that its provider may soon not say any more what changed since. */
export const AgeingCursor = Type.Object({
  account: Type.String({ format: 'uuid' }),
  name: Type.String({ description: 'Of the account.' }),
  path: nullable(Type.String({ description: 'Of the mailbox; null: the list of mailboxes.' })),
  checkedAt: Type.String({ description: 'When it was last fetched with success.' }),
  until: Type.String({ description: 'Until then the provider promises to go on from there.' }),
});
export type AgeingCursor = Static<typeof AgeingCursor>;

/** Accounts that should be looked at and were not for three intervals. */
export const LateAccounts = Type.Object({
  count: Type.Integer(),
  name: Type.String({ description: 'Of the one that waits longest.' }),
  checkedAt: Type.String({ description: 'When that was last fetched with success, or connected.' }),
});
export type LateAccounts = Static<typeof LateAccounts>;

/** A repair the fold made by itself, kept for people to see. */
export const FoldIncident = Type.Object({
  fold: Type.String(),
  partition: Type.Integer(),
  kind: Type.String(),
  detail: Type.String(),
  at: Type.String(),
});
export type FoldIncident = Static<typeof FoldIncident>;

/** What `POST /v1/accounts/:id/sync` takes; no body is the same as `{}`. */
export const SyncRequest = Type.Object(
  {
    reason: Type.Optional(
      Type.Union([Type.Literal('user'), Type.Literal('push')], {
        default: 'user',
        description: '`user`: look at all scopes now. `push`: look at those where changes are likely.',
      }),
    ),
  },
  { additionalProperties: false },
);
export type SyncRequest = Static<typeof SyncRequest>;

/** The hint is in the log and will be seen, also after a crash; it may be one with a hint that waits already. */
export const SyncAccepted = Type.Object({
  accepted: Type.Literal(true),
  sequence: Digits,
});
export type SyncAccepted = Static<typeof SyncAccepted>;

/** A work queue that looks left alone: there is something in it, and nobody asks for more. */
export const UnservedQueue = Type.Object({
  queue: Type.String({ description: '`hints`, or `live` and `backfill` with the provider before it.' }),
  waiting: Type.Integer({ description: 'What nobody has taken.' }),
  held: Type.Integer({ description: 'What somebody has taken and not finished.' }),
  takenAt: nullable(Type.String({ description: 'When something was taken last; null: not known.' })),
});
export type UnservedQueue = Static<typeof UnservedQueue>;

/** A webhook endpoint that is told nothing until somebody lets it go on. */
export const PausedWebhook = Type.Object({
  id: Type.String({ format: 'uuid' }),
  name: Type.String(),
  url: Type.String(),
  reason: nullable(Type.String({ description: '`asked`, `gone` or `failing`.' })),
  waiting: Type.Integer({ description: 'Changes that were put up for it before.' }),
});
export type PausedWebhook = Static<typeof PausedWebhook>;

/** `GET /v1/status`: the whole installation at a glance. */
export const StatusReport = Type.Object({
  accounts: Type.Array(Account),
  quotas: Type.Array(
    Type.Object({ provider: Type.String(), perMinute: Type.Integer(), units: Type.Integer() }),
    {
      description:
        'What all accounts of a provider spent together in the last minute, those of other tenants too; only of providers that count.',
    },
  ),
  folds: Type.Array(FoldLag),
  parked: Type.Object({
    count: Type.Integer({ description: 'Events on the DEAD stream, of all tenants.' }),
    recent: Type.Array(ParkedEvent, {
      description:
        'The latest, newest first: those of this tenant, and without their payload those that name no tenant.',
    }),
  }),
  incidents: Type.Array(FoldIncident),
  damage: Type.Optional(Type.Array(LogDamage, { description: 'Of the log, not mended yet.' })),
  ageing: Type.Optional(
    Type.Array(AgeingCursor, { description: 'Cursors of which half their life is over, the oldest first.' }),
  ),
  unserved: Type.Optional(
    Type.Array(UnservedQueue, {
      description: 'Queues with something in them of which nobody asks for more.',
    }),
  ),
  late: Type.Optional(nullable(LateAccounts)),
  isFetched: Type.Optional(Type.Boolean({ description: 'Whether any fetcher has a job or asks for one.' })),
  pausedWebhooks: Type.Optional(
    Type.Array(PausedWebhook, { description: 'Webhook endpoints of the tenant that are told nothing.' }),
  ),
  pending: Type.Object(
    { hints: Type.Integer(), live: Type.Integer(), backfill: Type.Integer() },
    { description: 'Messages that wait in the queues: hints, and fetch jobs by lane.' },
  ),
});
export type StatusReport = Static<typeof StatusReport>;

/** A mailbox of which the view is known to lack something. */
export const Drift = Type.Object({
  account: Type.String(),
  mailbox: Type.String(),
  path: Type.String(),
  drift: Type.Integer({ description: "Ids of the provider's last list that the view does not have." }),
});
export type Drift = Static<typeof Drift>;

/** `GET /v1/projection/status`. */
export const ProjectionStatus = Type.Object({
  partitions: Type.Array(FoldLag),
  incidents: Type.Array(FoldIncident, { description: 'The latest repairs, newest first.' }),
  parked: Type.Integer({ description: 'Events on the DEAD stream.' }),
  drift: Type.Array(Drift, { description: 'Mailboxes that lack something; empty when all is well.' }),
  rebuild: nullable(RebuildStatus),
});
export type ProjectionStatus = Static<typeof ProjectionStatus>;

/** One check of `doctor`. */
export const Finding = Type.Object({
  level: Type.Union([Type.Literal('ok'), Type.Literal('warn'), Type.Literal('fail')]),
  check: Type.String({ description: 'What was checked, in a few words.' }),
  message: Type.String({ description: 'What was found.' }),
  mend: nullable(Type.String({ description: 'What to do about it.' })),
});
export type Finding = Static<typeof Finding>;

/** `GET /v1/doctor`. */
export const DoctorReport = Type.Object({ findings: Type.Array(Finding) });
export type DoctorReport = Static<typeof DoctorReport>;

/** A part of all that is there, exact at a version, and where the change stream goes on after it. */
export const SnapshotPage = Type.Object(
  {
    stream: Type.String({
      description: 'When the CHANGES stream was made: sequences count in this one only.',
    }),
    sequence: Type.String({
      ...Digits,
      description: 'Read CHANGES after the sequence of the first page: nothing is missing then.',
    }),
    account: nullable(Type.String({ description: 'Whose page it is; null when there are no accounts.' })),
    version: Type.String({
      ...Digits,
      description: 'Changes of what the page covers with a version up to this one are in it: leave them out.',
    }),
    accounts: Type.Array(AccountView, { description: 'The account, on its first page.' }),
    mailboxes: Type.Array(MailboxView, { description: 'All of the account, on its first page.' }),
    messages: Type.Array(MessageView, { description: 'By id.' }),
    through: nullable(
      Type.String({
        description:
          'The page covers messages of the account up to this id, behind those of the page before; null: all the rest.',
      }),
    ),
    next: nullable(Type.String()),
  },
  { $id: 'SnapshotPage' },
);
export type SnapshotPage = Static<typeof SnapshotPage>;
