/** A message as Gmail shows it as a fact: pure, bounded, and never thrown off by hostile mail. */
import {
  cleanText,
  MAX_COPY_ID,
  MAX_RECIPIENTS,
  type MessageContent,
  type MessagePlaced,
  type MessageUpsert,
  type Origin,
} from '@mailstream/contracts';
import { countOf, field, listOf, textOf } from '../json.ts';
import { addressesOf } from './addresses.ts';
import { ALL_MAIL, placesOf } from './labels.ts';

/** The headers that are asked for. */
export const HEADERS = [
  'Subject',
  'From',
  'Sender',
  'Reply-To',
  'To',
  'Cc',
  'Bcc',
  'Date',
  'Message-ID',
  'In-Reply-To',
  'References',
];

/** Ids of messages are given once: one generation serves for good. */
const GENERATION = '1';

const MAX_SUBJECT = 2_000;
const MAX_ID = 1_000;
const MAX_REFERENCES = 200;
const MAX_SNIPPET = 255;

/** The id of a message or thread; null for anything that is none. */
export function idOf(value: unknown, name = 'id'): string | null {
  const id = textOf(value, name) ?? '';
  return id.length <= MAX_COPY_ID && /^[!-~]+$/.test(id) ? id : null;
}

/** `null` where nothing was said of labels, which is not the same as none. */
export function labelsIn(message: unknown): string[] | null {
  if (!Array.isArray(field(message, 'labelIds'))) return null;
  return listOf(message, 'labelIds').filter((label) => typeof label === 'string');
}

/** Of a message that was asked for: there, no labels are none. */
export function upsertOf(
  id: string,
  message: unknown,
  known: ReadonlySet<string>,
  origin: Origin,
): MessageUpsert {
  return {
    op: 'upsert',
    key: id,
    keyKind: 'message',
    copy: { mailbox: ALL_MAIL, generation: GENERATION, id },
    origin,
    content: contentOf(message),
    ...placesOf(labelsIn(message) ?? [], known),
  };
}

/** Null: it is deleted. */
export function placedOf(
  id: string,
  labels: readonly string[] | null,
  known: ReadonlySet<string>,
  origin: Origin,
): MessagePlaced {
  const places = labels === null ? { flags: [], mailboxes: [] } : placesOf(labels, known);
  return { op: 'placed', key: id, generation: GENERATION, origin, ...places };
}

function contentOf(message: unknown): MessageContent {
  const headers = listOf(field(message, 'payload'), 'headers');
  const header = (name: string): string | null => {
    const found = headers.find((one) => textOf(one, 'name')?.toLowerCase() === name);
    return textOf(found, 'value');
  };
  let recipientsOmitted = 0;
  const people = (name: string) => {
    const all = addressesOf(header(name) ?? '');
    recipientsOmitted += Math.max(0, all.length - MAX_RECIPIENTS);
    return all.slice(0, MAX_RECIPIENTS);
  };
  const subject = header('subject');
  const sentAt = timestamp(Date.parse(header('date') ?? ''));
  const references = messageIds(header('references'));
  return {
    subject: subject === null ? null : cleanText(subject, MAX_SUBJECT),
    from: people('from'),
    sender: people('sender'),
    replyTo: people('reply-to'),
    to: people('to'),
    cc: people('cc'),
    bcc: people('bcc'),
    recipientsOmitted,
    sentAt,
    receivedAt: timestamp(Number(textOf(message, 'internalDate') ?? Number.NaN)) ?? sentAt ?? EPOCH,
    size: countOf(message, 'sizeEstimate'),
    messageId: messageIds(header('message-id'))[0] ?? null,
    inReplyTo: messageIds(header('in-reply-to'))[0] ?? null,
    // Threads hang on the first reference, the root, and on the last ones.
    references:
      references.length <= MAX_REFERENCES
        ? references
        : [...references.slice(0, 1), ...references.slice(1 - MAX_REFERENCES)],
    providerThread: idOf(message, 'threadId'),
    snippet: cleanText(unescaped(textOf(message, 'snippet') ?? ''), MAX_SNIPPET) || null,
    attachments: [],
  };
}

const EPOCH = '1970-01-01T00:00:00.000Z';
const AFTER_LAST_YEAR = Date.UTC(2101, 0);

/** RFC 3339, or null for what is not a date of the years 1970 to 2100: others come from broken clocks and break sorting. */
function timestamp(time: number): string | null {
  return time >= 0 && time < AFTER_LAST_YEAR ? new Date(time).toISOString() : null;
}

/** Without their angle brackets; a header without any bracket is one id or several words. */
function messageIds(header: string | null): string[] {
  const bracketed = [...(header ?? '').matchAll(/<([^<>]+)>/g)].map(([, id]) => id ?? '');
  const ids = bracketed.length > 0 ? bracketed : (header ?? '').split(/\s+/);
  return ids.map((id) => cleanText(id.replace(/\s+/g, ''), MAX_ID)).filter(Boolean);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', '#39': "'" };

/** Snippets come as HTML. */
function unescaped(text: string): string {
  return text.replace(/&(lt|gt|amp|quot|#39);/g, (whole, name: string) => ENTITIES[name] ?? whole);
}
