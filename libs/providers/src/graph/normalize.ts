/** A message as Graph shows it as a fact: pure, bounded, and never thrown off by hostile mail. */
import {
  type Address,
  type Copy,
  cleanText,
  hashToken,
  MAX_RECIPIENTS,
  type MessageContent,
  type MessagePatch,
  type MessageUpsert,
  type Origin,
} from '@mailstream/contracts';

/** What is asked of every message. A change of it is a new `SELECT_VERSION`. */
export const SELECT = [
  'receivedDateTime',
  'sentDateTime',
  'createdDateTime',
  'internetMessageId',
  'conversationId',
  'parentFolderId',
  'subject',
  'bodyPreview',
  'from',
  'sender',
  'replyTo',
  'toRecipients',
  'ccRecipients',
  'bccRecipients',
  'isRead',
  'isDraft',
  'flag',
  'categories',
].join(',');

/** An object of Graph's; any member may be missing or be anything. */
export type Entity = Readonly<Record<string, unknown>>;

/** The key of a folder's mailbox. */
export function mailboxKey(folderId: string): string {
  return hashToken(folderId);
}

/** Immutable ids are never given twice: one generation serves for good, and a folder may tell of a message that went to another. */
export function copyOf(mailbox: string, id: string): Copy {
  return { mailbox, generation: '1', id };
}

const MAX_SUBJECT = 2_000;
const MAX_ADDRESS = 1_000;
const MAX_ID = 1_000;
const MAX_SNIPPET = 255;
const MAX_FLAG = 200;
const MAX_FLAGS = 500;

export function upsertOf(mailbox: string, id: string, message: Entity, origin: Origin): MessageUpsert {
  return {
    op: 'upsert',
    key: id,
    keyKind: 'message',
    copy: copyOf(mailbox, id),
    origin,
    flags: flagsOf(message),
    content: contentOf(message),
  };
}

/** Of a partial entry; null when it says anything but whether the message was read. */
export function patchOf(mailbox: string, id: string, entry: Entity, origin: Origin): MessagePatch | null {
  const { isRead, id: _, parentFolderId: __, ...others } = entry;
  const more = Object.keys(others).some((name) => !name.startsWith('@odata.'));
  if (typeof isRead !== 'boolean' || more) return null;
  const flags = isRead ? { added: ['seen'] } : { cleared: ['seen'] };
  return { op: 'patch', copy: copyOf(mailbox, id), origin, ...flags };
}

function contentOf(message: Entity): MessageContent {
  let recipientsOmitted = 0;
  const people = (value: unknown): Address[] => {
    const list = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
    recipientsOmitted += Math.max(0, list.length - MAX_RECIPIENTS);
    return list.slice(0, MAX_RECIPIENTS).map(addressOf);
  };
  const text = (name: string, max: number) => cleaned(message[name], max);
  const sentAt = timestamp(message.sentDateTime);
  return {
    subject: typeof message.subject === 'string' ? cleanText(message.subject, MAX_SUBJECT) : null,
    from: people(message.from),
    sender: people(message.sender),
    replyTo: people(message.replyTo),
    to: people(message.toRecipients),
    cc: people(message.ccRecipients),
    bcc: people(message.bccRecipients),
    recipientsOmitted,
    sentAt,
    receivedAt:
      timestamp(message.receivedDateTime) ??
      timestamp(message.createdDateTime) ??
      sentAt ??
      '1970-01-01T00:00:00.000Z',
    size: null,
    messageId: text('internetMessageId', MAX_ID)?.replace(/^\s*<|>\s*$/g, '') || null,
    inReplyTo: null,
    references: [],
    providerThread: text('conversationId', MAX_ID),
    snippet: text('bodyPreview', MAX_SNIPPET),
    attachments: [],
  };
}

function addressOf(recipient: unknown): Address {
  const { emailAddress } = entityOf(recipient);
  const { name, address } = entityOf(emailAddress);
  return { name: cleaned(name, MAX_ADDRESS), address: cleaned(address, MAX_ADDRESS) };
}

/** Null for what is no text, or none worth keeping. */
function cleaned(value: unknown, max: number): string | null {
  return typeof value === 'string' ? cleanText(value, max) || null : null;
}

export function entityOf(value: unknown): Entity {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}

const FIRST_YEAR = Date.UTC(1970, 0);
const AFTER_LAST_YEAR = Date.UTC(2101, 0);

/** RFC 3339, or null for what is not a date of the years 1970 to 2100: others come from broken clocks and break sorting. */
function timestamp(value: unknown): string | null {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return time >= FIRST_YEAR && time < AFTER_LAST_YEAR ? new Date(time).toISOString() : null;
}

/** What facts call by these names is told by other properties than categories. */
const NOT_CATEGORIES = new Set(['seen', 'answered', 'flagged', 'draft', 'deleted']);

/** Flags as facts spell them, sorted; categories as people spell them. */
function flagsOf({ isRead, isDraft, flag, categories }: Entity): string[] {
  const flags = new Set<string>();
  if (isRead === true) flags.add('seen');
  if (isDraft === true) flags.add('draft');
  if (entityOf(flag).flagStatus === 'flagged') flags.add('flagged');
  for (const category of Array.isArray(categories) ? categories : []) {
    const name = cleaned(category, MAX_FLAG);
    if (name && !NOT_CATEGORIES.has(name.toLowerCase())) flags.add(name);
  }
  return [...flags].sort().slice(0, MAX_FLAGS);
}
