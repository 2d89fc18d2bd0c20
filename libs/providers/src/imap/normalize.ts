/** A fetched message as a fact: pure, bounded, and never thrown off by hostile mail. */
import {
  type Address,
  type Attachment,
  cleanText,
  MAX_RECIPIENTS,
  type MessageContent,
  type MessageUpsert,
  type Origin,
  uidToId,
} from '@mailstream/contracts';

/** What the IMAP library gives of one message; every part may be missing. */
export interface FetchedMessage {
  readonly uid: number;
  readonly flags?: ReadonlySet<string> | undefined;
  readonly envelope?: FetchedEnvelope | undefined;
  readonly bodyStructure?: FetchedPart | undefined;
  readonly internalDate?: Date | string | undefined;
  readonly size?: number | undefined;
  /** EMAILID or X-GM-MSGID. */
  readonly emailId?: string | undefined;
  readonly threadId?: string | undefined;
  /** The header lines asked for; the library says `false` for NIL, which Dovecot answers for a message that is just being expunged. */
  readonly headers?: Uint8Array | false | undefined;
}

interface FetchedAddress {
  readonly name?: string | undefined;
  readonly address?: string | undefined;
}

interface FetchedEnvelope {
  readonly date?: Date | string | undefined;
  readonly subject?: string | undefined;
  readonly messageId?: string | undefined;
  readonly inReplyTo?: string | undefined;
  readonly from?: readonly FetchedAddress[] | undefined;
  readonly sender?: readonly FetchedAddress[] | undefined;
  readonly replyTo?: readonly FetchedAddress[] | undefined;
  readonly to?: readonly FetchedAddress[] | undefined;
  readonly cc?: readonly FetchedAddress[] | undefined;
  readonly bcc?: readonly FetchedAddress[] | undefined;
}

interface FetchedPart {
  readonly part?: string | undefined;
  readonly type: string;
  readonly id?: string | undefined;
  readonly size?: number | undefined;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly disposition?: string | undefined;
  readonly dispositionParameters?: Readonly<Record<string, string>> | undefined;
  readonly childNodes?: readonly FetchedPart[] | undefined;
}

const MAX_SUBJECT = 2_000;
const MAX_ADDRESS = 1_000;
const MAX_ID = 1_000;
const MAX_REFERENCES = 200;
const MAX_ATTACHMENTS = 200;
const MAX_FLAG = 200;
const MAX_FLAGS = 500;

/** The fact of one message seen in `mailbox` under UIDVALIDITY `generation`. */
export function upsertOf(
  mailbox: string,
  generation: string,
  message: FetchedMessage,
  origin: Origin,
): MessageUpsert {
  const { uid, emailId } = message;
  const key = emailId ? cleanText(emailId, MAX_ID) : '';
  return {
    op: 'upsert',
    key: key || `${mailbox}.${generation}.${uid}`,
    keyKind: key ? 'message' : 'copy',
    copy: { mailbox, generation, id: uidToId(uid) },
    origin,
    flags: normalFlags(message.flags ?? []),
    content: contentOf(message),
  };
}

function contentOf(message: FetchedMessage): MessageContent {
  const envelope = message.envelope ?? {};
  let recipientsOmitted = 0;
  const addresses = (list: readonly FetchedAddress[] = []): Address[] => {
    recipientsOmitted += Math.max(0, list.length - MAX_RECIPIENTS);
    return list.slice(0, MAX_RECIPIENTS).map(({ name, address }) => ({
      name: name ? cleanText(name, MAX_ADDRESS) : null,
      address: address ? cleanText(address, MAX_ADDRESS) : null,
    }));
  };
  const sentAt = timestamp(envelope.date);
  return {
    subject: envelope.subject === undefined ? null : cleanText(envelope.subject, MAX_SUBJECT),
    from: addresses(envelope.from),
    sender: addresses(envelope.sender),
    replyTo: addresses(envelope.replyTo),
    to: addresses(envelope.to),
    cc: addresses(envelope.cc),
    bcc: addresses(envelope.bcc),
    recipientsOmitted,
    sentAt,
    receivedAt: timestamp(message.internalDate) ?? sentAt ?? '1970-01-01T00:00:00.000Z',
    size: message.size ?? null,
    messageId: messageIds(envelope.messageId)[0] ?? null,
    inReplyTo: messageIds(envelope.inReplyTo)[0] ?? null,
    references: referencesOf(message.headers),
    providerThread: message.threadId ? cleanText(message.threadId, MAX_ID) : null,
    snippet: null,
    attachments: attachmentsOf(message.bodyStructure),
  };
}

const FIRST_YEAR = Date.UTC(1970, 0);
const AFTER_LAST_YEAR = Date.UTC(2101, 0);

/** RFC 3339, or null for what is not a date of the years 1970 to 2100: others come from broken clocks and break sorting. */
function timestamp(date: Date | string | undefined): string | null {
  if (!(date instanceof Date)) return null;
  const time = date.getTime();
  return time >= FIRST_YEAR && time < AFTER_LAST_YEAR ? date.toISOString() : null;
}

/** The ids in a header, without their angle brackets; a header without any bracket is one id or several words. */
function messageIds(header: string | undefined): string[] {
  if (!header) return [];
  const bracketed = [...header.matchAll(/<([^<>]+)>/g)].map(([, id]) => id ?? '');
  const ids = bracketed.length > 0 ? bracketed : header.split(/\s+/);
  return ids.map((id) => cleanText(id.replace(/\s+/g, ''), MAX_ID)).filter((id) => id !== '');
}

/** Threads hang on the first reference, the root, and on the last ones: these are kept when there are too many. */
function referencesOf(headers: Uint8Array | false | undefined): string[] {
  if (!headers || headers.length < 12) return [];
  const text = Buffer.from(headers.buffer, headers.byteOffset, headers.byteLength).toString();
  const ids = messageIds(text.replace(/^references:/i, '').trim());
  return ids.length <= MAX_REFERENCES ? ids : [...ids.slice(0, 1), ...ids.slice(1 - MAX_REFERENCES)];
}

/** Parts a person would see as files: named, marked as attachments, or neither text nor a container. */
function attachmentsOf(root: FetchedPart | undefined): Attachment[] {
  if (root === undefined || (root.childNodes === undefined && isBodyText(root))) return [];
  const found: Attachment[] = [];
  const waiting: FetchedPart[] = [root];
  while (found.length < MAX_ATTACHMENTS) {
    const node = waiting.pop();
    if (node === undefined) break;
    if (node.type.startsWith('multipart/')) waiting.push(...(node.childNodes ?? []).toReversed());
    else if (!isBodyText(node)) found.push(attachmentOf(node));
  }
  return found;
}

function isBodyText(part: FetchedPart): boolean {
  return (
    (part.type === 'text/plain' || part.type === 'text/html') &&
    part.disposition !== 'attachment' &&
    filenameOf(part) === undefined
  );
}

function filenameOf(part: FetchedPart): string | undefined {
  return part.dispositionParameters?.filename || part.parameters?.name || undefined;
}

function attachmentOf(part: FetchedPart): Attachment {
  const filename = filenameOf(part);
  const contentId = part.id?.replace(/^<|>$/g, '');
  return {
    part: part.part ?? '1',
    filename: filename === undefined ? null : cleanText(filename, MAX_ADDRESS),
    contentType: cleanText(part.type, 200),
    size: part.size ?? null,
    inline: part.disposition === 'inline' || (part.disposition !== 'attachment' && Boolean(contentId)),
    contentId: contentId ? cleanText(contentId, MAX_ID) : null,
  };
}

/** System flags and the keywords that clients agree on; `null` is not kept (`\Recent` is true of one session only). */
const KNOWN_FLAGS: ReadonlyMap<string, string | null> = new Map([
  ['\\seen', 'seen'],
  ['\\answered', 'answered'],
  ['\\flagged', 'flagged'],
  ['\\draft', 'draft'],
  ['\\deleted', 'deleted'],
  ['\\recent', null],
  ['$forwarded', 'forwarded'],
  ['forwarded', 'forwarded'],
  ['$junk', 'junk'],
  ['junk', 'junk'],
  ['$notjunk', 'notjunk'],
  ['notjunk', 'notjunk'],
  ['nonjunk', 'notjunk'],
  // Keywords that only look like the well-known flags.
  ['seen', null],
  ['answered', null],
  ['flagged', null],
  ['draft', null],
  ['deleted', null],
]);

/** Flags as facts spell them: sorted, without repeats. */
export function normalFlags(flags: Iterable<string>): string[] {
  const normal = new Set<string>();
  for (const flag of flags) {
    const known = KNOWN_FLAGS.get(flag.toLowerCase());
    const name = known === undefined ? cleanText(flag, MAX_FLAG) : known;
    if (name) normal.add(name);
  }
  return [...normal].sort().slice(0, MAX_FLAGS);
}
