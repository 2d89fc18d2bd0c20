/** `message.changed`: what a provider was seen to hold, or no longer hold, of one message. */
import { type Static, Type } from 'typebox';
import { Address, Flags, nullable, Origin } from './common.ts';

/** Most recipients an event names per header; `recipientsOmitted` counts the rest. */
export const MAX_RECIPIENTS = 500;

/** Most characters of a copy's id: it is part of a key in the database. */
export const MAX_COPY_ID = 1_000;

const Addresses = Type.Array(Address, { maxItems: MAX_RECIPIENTS });

export const Attachment = Type.Object({
  part: Type.String({ description: "The provider's name of the part: a MIME section number for IMAP." }),
  filename: nullable(Type.String()),
  contentType: Type.String(),
  size: nullable(Type.Integer({ minimum: 0, description: 'Bytes as transferred (encoded).' })),
  inline: Type.Boolean(),
  contentId: nullable(Type.String()),
});
export type Attachment = Static<typeof Attachment>;

/** The parts of a message that never change: its headers, structure and size. */
export const MessageContent = Type.Object({
  subject: nullable(Type.String()),
  from: Addresses,
  sender: Addresses,
  replyTo: Addresses,
  to: Addresses,
  cc: Addresses,
  bcc: Addresses,
  recipientsOmitted: Type.Integer({ minimum: 0 }),
  sentAt: nullable(Type.String({ description: 'The Date header, RFC 3339; forged or absent as it may be.' })),
  receivedAt: Type.String({ description: 'When the provider received it, RFC 3339: the sort key.' }),
  size: nullable(Type.Integer({ minimum: 0, description: 'Bytes.' })),
  messageId: nullable(
    Type.String({ description: 'The Message-ID header without <>. A hint, never an identity.' }),
  ),
  inReplyTo: nullable(Type.String()),
  references: Type.Array(Type.String(), { maxItems: 200 }),
  providerThread: nullable(Type.String({ description: "The provider's own thread id, where it has one." })),
  snippet: nullable(Type.String({ maxLength: 300 })),
  attachments: Type.Array(Attachment, { maxItems: 200 }),
});
export type MessageContent = Static<typeof MessageContent>;

/**
 * One copy of a message in one mailbox: for IMAP (mailbox, UIDVALIDITY, UID), RFC 9051 section 2.3.1.1. `generation` changes when the mailbox
 * forgets its ids, or is read from its beginning again; a copy of an older generation is swept by the `mailbox.listed` that ends the new one.
 */
export const Copy = Type.Object({
  mailbox: Type.String({ minLength: 1 }),
  generation: Type.String(),
  id: Type.String({
    minLength: 1,
    maxLength: MAX_COPY_ID,
    description:
      "The provider's id of the copy within mailbox and generation; case matters. For IMAP the UID in ten digits, so that ids sort as UIDs do.",
  }),
});
export type Copy = Static<typeof Copy>;

const identity = {
  key: Type.String({
    minLength: 1,
    description: "The provider's identity of the message within the account; case matters.",
  }),
  keyKind: Type.Union([Type.Literal('message'), Type.Literal('copy')], {
    description:
      '`message`: the key survives moves and is shared by copies. `copy`: it names this copy only.',
  }),
  copy: Copy,
  origin: Origin,
};

const mailboxesOf = (description: string) =>
  Type.Array(Type.String({ minLength: 1 }), { maxItems: 20_000, description });

/** All fields of one copy, as seen now. */
export const MessageUpsert = Type.Object({
  op: Type.Literal('upsert'),
  ...identity,
  flags: Flags,
  content: MessageContent,
  mailboxes: Type.Optional(
    mailboxesOf(
      'Of providers with labels: exactly the mailboxes that hold the message; its copies have id, generation and flags of `copy`, which is among them.',
    ),
  ),
});
export type MessageUpsert = Static<typeof MessageUpsert>;

/**
 * Only what was seen to change: an absent field was not looked at, which is not the same as empty. `flags` are all flags as they are now;
 * `added` and `cleared` say of some flags that they are set or not, and nothing of the others.
 */
export const MessagePatch = Type.Object({
  op: Type.Literal('patch'),
  copy: Copy,
  origin: Origin,
  flags: Type.Optional(Flags),
  added: Type.Optional(Flags),
  cleared: Type.Optional(Flags),
});
export type MessagePatch = Static<typeof MessagePatch>;

/** The copy is gone from its mailbox. The message is deleted only when this was its last copy. */
export const MessageRemoved = Type.Object({ op: Type.Literal('removed'), copy: Copy, origin: Origin });
export type MessageRemoved = Static<typeof MessageRemoved>;

/**
 * The message with this key is in exactly these mailboxes, with these flags; in none: it is deleted. Its copies have the key as their id. Says nothing
 * of a message that is not known: its upsert will.
 */
export const MessagePlaced = Type.Object({
  op: Type.Literal('placed'),
  key: Type.String({ minLength: 1, maxLength: MAX_COPY_ID }),
  generation: Type.String(),
  mailboxes: mailboxesOf('Exactly the mailboxes that hold it.'),
  flags: Flags,
  origin: Origin,
});
export type MessagePlaced = Static<typeof MessagePlaced>;

export const MessageChanged = Type.Union([MessageUpsert, MessagePatch, MessageRemoved, MessagePlaced]);
export type MessageChanged = Static<typeof MessageChanged>;

/** The copies that a fact names; of a message that is placed, all that it has from now on. */
export function copiesOf(fact: MessageChanged): Copy[] {
  if (fact.op === 'placed') {
    const { mailboxes, generation, key: id } = fact;
    return [...new Set(mailboxes)].map((mailbox) => ({ mailbox, generation, id }));
  }
  const { copy } = fact;
  if (fact.op !== 'upsert' || fact.mailboxes === undefined) return [copy];
  return [...new Set(fact.mailboxes)].map((mailbox) => ({ ...copy, mailbox }));
}
