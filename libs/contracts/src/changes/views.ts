/** The current state of things as the read API returns them and change events carry them: one shape for both. */
import { type Static, Type } from 'typebox';
import { AccountState } from '../facts/account.ts';
import { Address, Digits, FailureClass, Flags, nullable } from '../facts/common.ts';
import { MailboxRole } from '../facts/mailbox.ts';
import { Attachment } from '../facts/message.ts';

const Addresses = Type.Array(Address);
const Timestamp = Type.String({ description: 'RFC 3339, UTC.' });
const Version = Type.String({
  ...Digits,
  description:
    'Grows with every change: the sequence in the MAIL log of the fact behind it, as long as no log was lost.',
});

export const MailboxView = Type.Object({
  id: Type.String({ description: "The mailbox's key; unique within its account." }),
  account: Type.String(),
  version: Version,
  path: Type.String(),
  name: Type.String(),
  parent: nullable(Type.String()),
  role: nullable(MailboxRole),
  selectable: Type.Boolean(),
  messages: Type.Integer({ description: 'Messages in the view.' }),
  unread: Type.Integer({ description: 'Messages in the view without the `seen` flag.' }),
  reported: nullable(
    Type.Integer({
      description: 'Messages the provider last said it holds; differs from `messages` while importing.',
    }),
  ),
});
export type MailboxView = Static<typeof MailboxView>;

/** One copy of a message in one mailbox. A message moved or copied by hand has several for a while. */
export const CopyView = Type.Object({
  mailbox: Type.String(),
  path: Type.String(),
  role: nullable(MailboxRole),
  generation: Type.String(),
  id: Type.String({ description: "The provider's id of the copy; for IMAP the UID in ten digits." }),
  flags: Flags,
});
export type CopyView = Static<typeof CopyView>;

export const MessageView = Type.Object({
  id: Type.String({ format: 'uuid', description: 'Ours; stays when the message moves.' }),
  account: Type.String(),
  version: Version,
  thread: Type.String({ format: 'uuid' }),
  subject: nullable(Type.String()),
  from: Addresses,
  sender: Addresses,
  replyTo: Addresses,
  to: Addresses,
  cc: Addresses,
  bcc: Addresses,
  recipientsOmitted: Type.Integer(),
  sentAt: nullable(Timestamp),
  receivedAt: Timestamp,
  size: nullable(Type.Integer()),
  messageId: nullable(Type.String()),
  snippet: nullable(Type.String()),
  attachments: Type.Array(Attachment),
  flags: Flags,
  unread: Type.Boolean(),
  copies: Type.Array(CopyView),
});
export type MessageView = Static<typeof MessageView>;

export const ThreadView = Type.Object({
  id: Type.String({ format: 'uuid' }),
  account: Type.String(),
  version: Version,
  subject: nullable(Type.String()),
  messages: Type.Integer(),
  unread: Type.Integer(),
  firstAt: Timestamp,
  lastAt: Timestamp,
});
export type ThreadView = Static<typeof ThreadView>;

/** An account as its change events carry it; the control API adds settings and scopes. */
export const AccountView = Type.Object({
  id: Type.String(),
  version: Version,
  provider: Type.String(),
  name: Type.String(),
  state: AccountState,
  reason: nullable(Type.String()),
});
export type AccountView = Static<typeof AccountView>;

/** One fetch run of one scope, from its first page to the page that found nothing more. */
export const SyncRunView = Type.Object({
  run: Type.String(),
  account: Type.String(),
  scope: Type.String(),
  version: Version,
  inserted: Type.Integer(),
  updated: Type.Integer(),
  deleted: Type.Integer(),
  startedAt: Timestamp,
  endedAt: nullable(Timestamp),
  durationMs: nullable(Type.Integer({ description: 'From beginning to end; null while it runs.' })),
  attempts: nullable(
    Type.Integer({ description: 'For a failed run: how often it was tried in a row, this time included.' }),
  ),
  failure: nullable(FailureClass),
  code: nullable(Type.String({ description: 'A code of the error table.' })),
  message: nullable(Type.String({ description: 'What happened, in one sentence for people.' })),
});
export type SyncRunView = Static<typeof SyncRunView>;
