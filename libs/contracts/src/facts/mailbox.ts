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
  path: Type.String({ description: "The provider's address of it, for example `Archive/2026`." }),
  name: Type.String({ description: 'The last part of the path, for people.' }),
  parent: nullable(Type.String({ description: 'Key of the parent mailbox.' })),
  role: nullable(MailboxRole),
  selectable: Type.Boolean({
    description: 'Whether it can hold messages; if so it is a scope of its own.',
  }),
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

/**
 * The complete truth about a window of uids: of the copies with `from <= uid < to` of this generation, exactly those named in
 * `present` exist. The projector compares and emits the difference; uids at or above `to` are not judged. When `sweep` is set,
 * the new generation is complete and copies of every other generation are gone.
 */
export const MailboxListed = Type.Object({
  mailbox: Type.String({ minLength: 1 }),
  generation: Type.String(),
  from: Type.Integer({ minimum: 1 }),
  to: Type.Integer({ minimum: 1, description: 'Exclusive.' }),
  present: Type.Array(
    Type.Object({
      uids: Type.String({ description: 'An IMAP uid set: `1:5,7,9:12`.' }),
      flags: nullable(Flags),
    }),
    { description: 'Grouped by flags; `flags: null` says they were not looked at.' },
  ),
  sweep: Type.Boolean(),
  origin: Origin,
});
export type MailboxListed = Static<typeof MailboxListed>;
