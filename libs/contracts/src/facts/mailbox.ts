/** `mailbox.changed` and `mailbox.listed`: the folders or labels of an account, and what one of them holds. */
import { type Static, Type } from 'typebox';
import { Flags, nullable, Origin } from './common.ts';

/** What a mailbox is for, by RFC 6154 special use or the provider's equivalent; never guessed from a name alone where the provider says. */
export const MAILBOX_ROLES = [
  'inbox',
  'sent',
  'drafts',
  'trash',
  'junk',
  'archive',
  'all',
  'flagged',
] as const;
export const MailboxRole = Type.Enum(MAILBOX_ROLES);
export type MailboxRole = (typeof MAILBOX_ROLES)[number];

export const MailboxUpsert = Type.Object({
  op: Type.Literal('upsert'),
  mailbox: Type.String({
    minLength: 1,
    description: 'Its key, subject-safe; stays when the mailbox is renamed.',
  }),
  address: Type.String({
    minLength: 1,
    description: 'What the provider is asked with: the path for IMAP, the id of the folder for others.',
  }),
  path: Type.String({ description: 'Where it is, for people: the names from the root on, `Archive/2026`.' }),
  name: Type.String({ description: 'The last part of the path, for people.' }),
  parent: nullable(Type.String({ description: 'Key of the parent mailbox.' })),
  role: nullable(MailboxRole),
  selectable: Type.Boolean({ description: 'Whether it can hold messages.' }),
  scope: Type.Optional(
    Type.String({
      minLength: 1,
      description:
        'Key of the mailbox that it is fetched with, where one cursor covers several; absent: a selectable mailbox is a scope of its own.',
    }),
  ),
  state: nullable(
    Type.String({ description: 'A token that differs whenever the content may have changed.' }),
  ),
  messages: nullable(
    Type.Integer({ minimum: 0, description: 'How many messages the provider says it holds.' }),
  ),
  origin: Origin,
});
export type MailboxUpsert = Static<typeof MailboxUpsert>;

/** The mailbox is gone, and every copy in it. */
export const MailboxRemoved = Type.Object({
  op: Type.Literal('removed'),
  mailbox: Type.String({ minLength: 1 }),
  origin: Origin,
});
export type MailboxRemoved = Static<typeof MailboxRemoved>;

export const MailboxChanged = Type.Union([MailboxUpsert, MailboxRemoved]);
export type MailboxChanged = Static<typeof MailboxChanged>;

const listing = {
  mailbox: Type.String({ minLength: 1 }),
  generation: Type.String(),
  sweep: Type.Boolean({
    description: 'The generation is complete: copies of every other generation are gone.',
  }),
  origin: Origin,
};

/** For mailboxes whose ids are IMAP UIDs. */
export const ListedUids = Type.Object({
  ...listing,
  from: Type.Integer({ minimum: 1 }),
  to: Type.Integer({ minimum: 1, description: 'Exclusive.' }),
  present: Type.Array(
    Type.Object({
      uids: Type.String({ description: 'An IMAP uid set: `1:5,7,9:12`.' }),
      flags: nullable(Flags),
    }),
    { description: 'Grouped by flags; `flags: null` says they were not looked at.' },
  ),
});
export type ListedUids = Static<typeof ListedUids>;

/** For mailboxes whose ids are any text; ids are compared by UTF-16 code units, and are ASCII. */
export const ListedIds = Type.Object({
  ...listing,
  from: Type.String({ description: 'The lowest id of the window; empty: from the lowest there is.' }),
  to: nullable(Type.String({ description: 'Exclusive; null: to the highest there is.' })),
  ids: Type.Array(Type.String({ minLength: 1 })),
  everywhere: Type.Optional(
    Type.Boolean({
      description:
        'The mailbox holds all messages of the account: a message that is not named is gone from every mailbox.',
    }),
  ),
});
export type ListedIds = Static<typeof ListedIds>;

/**
 * The complete truth about a window of ids: of the copies with `from <= id < to` of this generation, exactly those named exist. The projector
 * compares and emits the difference; ids outside are not judged. Named ids that it does not have are `drift`.
 */
export const MailboxListed = Type.Union([ListedUids, ListedIds]);
export type MailboxListed = Static<typeof MailboxListed>;
