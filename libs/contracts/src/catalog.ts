/** The catalogue: every public event type, its schema, its stream and its subject. AsyncAPI and JSON Schema come from here. */
import { type TSchema, Type } from 'typebox';
import { Compile, type Validator } from 'typebox/compile';
import { CHANGE_VERBS, type ChangeEntity, changeDataSchema, SkippedView, VIEWS } from './changes/changes.ts';
import { type Envelope, envelopeSchema } from './envelope.ts';
import { AccountChanged } from './facts/account.ts';
import { CursorAdvanced, CursorSeeded } from './facts/cursor.ts';
import { MailboxChanged, MailboxListed } from './facts/mailbox.ts';
import { MessageChanged } from './facts/message.ts';
import { SyncFailed } from './facts/sync.ts';
import type { StreamName } from './streams.ts';

export interface CatalogEntry {
  /** CloudEvents `type`, with its version: a breaking change is a new row. */
  readonly type: string;
  readonly stream: StreamName;
  /** The subject as people read it, with the parts that vary in angle brackets. */
  readonly subject: string;
  readonly summary: string;
  readonly data: TSchema;
}

const FACT = 'mail.<pp>.<tenant>.<account>';

/** Facts, by short name; `EVENT_TYPES.messageChanged` is what code writes into an envelope. */
export const EVENT_TYPES = {
  messageChanged: 'mailstream.message.changed.v1',
  mailboxChanged: 'mailstream.mailbox.changed.v1',
  mailboxListed: 'mailstream.mailbox.listed.v1',
  cursorAdvanced: 'mailstream.cursor.advanced.v1',
  cursorSeeded: 'mailstream.cursor.seeded.v1',
  syncFailed: 'mailstream.fetch.failed.v1',
  accountChanged: 'mailstream.account.changed.v1',
} as const satisfies Record<string, FactType>;

interface FactData {
  'mailstream.message.changed.v1': MessageChanged;
  'mailstream.mailbox.changed.v1': MailboxChanged;
  'mailstream.mailbox.listed.v1': MailboxListed;
  'mailstream.cursor.advanced.v1': CursorAdvanced;
  'mailstream.cursor.seeded.v1': CursorSeeded;
  'mailstream.fetch.failed.v1': SyncFailed;
  'mailstream.account.changed.v1': AccountChanged;
}

export type FactType = keyof FactData;

/** The event of one fact type (a union of them distributes). */
export type FactEventOf<T extends FactType> = T extends FactType
  ? Envelope<FactData[T]> & { readonly type: T }
  : never;

/** Any fact on the log; narrow on `type`. */
export type FactEvent = FactEventOf<FactType>;

const facts: readonly CatalogEntry[] = [
  {
    type: EVENT_TYPES.messageChanged,
    stream: 'MAIL',
    subject: `${FACT}.message.changed`,
    data: MessageChanged,
    summary: 'A copy of a message was seen, changed, or is gone.',
  },
  {
    type: EVENT_TYPES.mailboxChanged,
    stream: 'MAIL',
    subject: `${FACT}.mailbox.changed`,
    data: MailboxChanged,
    summary: 'A folder or label was seen, changed, or is gone.',
  },
  {
    type: EVENT_TYPES.mailboxListed,
    stream: 'MAIL',
    subject: `${FACT}.mailbox.listed`,
    data: MailboxListed,
    summary: 'The complete list of copies in a window of uids.',
  },
  {
    type: EVENT_TYPES.cursorAdvanced,
    stream: 'MAIL',
    subject: `${FACT}.cursor.<scope>`,
    data: CursorAdvanced,
    summary: 'Closes a page: the cursor after it, chained to the page before.',
  },
  {
    type: EVENT_TYPES.cursorSeeded,
    stream: 'MAIL',
    subject: `${FACT}.cursor.<scope>`,
    data: CursorSeeded,
    summary: 'A cursor put back from Postgres after the log was lost or cut.',
  },
  {
    type: EVENT_TYPES.syncFailed,
    stream: 'MAIL',
    subject: `${FACT}.sync.failed`,
    data: SyncFailed,
    summary: 'A fetch failed, and how it is classified.',
  },
  {
    type: EVENT_TYPES.accountChanged,
    stream: 'MAIL',
    subject: `${FACT}.account.<verb>`,
    data: AccountChanged,
    summary: 'An account was added, changed, paused, resumed or removed.',
  },
];

/** The CloudEvents type of a change: `mailstream.message.created.v1`. */
export function changeType(entity: ChangeEntity, verb: string): string {
  return `mailstream.${entity}.${verb}.v1`;
}

const changes: readonly CatalogEntry[] = (Object.keys(CHANGE_VERBS) as ChangeEntity[]).flatMap((entity) =>
  CHANGE_VERBS[entity].map((verb) => ({
    type: changeType(entity, verb),
    stream: 'CHANGES' as const,
    subject: `changes.<tenant>.<account>.${entity}.${verb}`,
    data: changeDataSchema(verb === 'skipped' ? SkippedView : VIEWS[entity]),
    summary: `${entity} ${verb}.`,
  })),
);

/** A hint needs no body; this is what we put there, and what others may. Its meaning is all in its subject. */
const hints: readonly CatalogEntry[] = [
  {
    type: 'mailstream.sync.requested.v1',
    stream: 'SYNC',
    subject: 'sync.requested.<tenant>.<account>.<reason>',
    data: Type.Object({}, { additionalProperties: true }),
    summary: 'Look at this account now. Publish it from any NATS client, with an empty body if you like.',
  },
];

export const CATALOG: readonly CatalogEntry[] = [...hints, ...facts, ...changes];

const validators = new Map<string, Validator>();

/** The compiled validator of an event type's envelope, or null for a type that is not in the catalogue. */
export function validatorOf(type: string): Validator | null {
  const known = validators.get(type);
  if (known) return known;
  const entry = CATALOG.find((row) => row.type === type);
  if (!entry) return null;
  const compiled: Validator = Compile(envelopeSchema(entry.type, entry.data));
  validators.set(type, compiled);
  return compiled;
}
