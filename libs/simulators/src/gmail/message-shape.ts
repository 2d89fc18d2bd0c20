/** A message as Gmail shows it, in each of the four formats. */
import type { GmailBehaviour } from '../behaviour.ts';
import type { Message } from '../mailbox/message.ts';
import type { Random } from '../random.ts';
import type { GmailAccount } from './accounts.ts';
import { type Header, headersOf, type Part, plainText, structureOf } from './content.ts';
import { invalid, notFound } from './errors.ts';
import { writeRaw } from './raw.ts';

export type Format = 'minimal' | 'full' | 'raw' | 'metadata';

export interface View {
  readonly account: GmailAccount;
  readonly random: Random;
  readonly behaviour: GmailBehaviour;
}

/** The `format` of a request. Throws 400 for one there is none of. */
export function formatOf(query: URLSearchParams): Format {
  const format = (query.get('format') ?? 'full').toLowerCase();
  if (format === 'minimal' || format === 'full' || format === 'raw' || format === 'metadata') return format;
  throw invalid(
    `Invalid value at 'format' (type.googleapis.com/google.apps.gmail.v1.Format), "${query.get('format')}"`,
  );
}

/** What lists and histories say of a message. */
export function reference(account: GmailAccount, uid: number, conversation: number) {
  return { id: account.ids.ofMessage(uid), threadId: account.ids.ofThread(conversation) };
}

/** `labelIds`, unless there are none. */
export function labelIds(labels: readonly string[]) {
  return labels.length === 0 ? {} : { labelIds: labels };
}

/** `wanted`: which headers `metadata` shows; all when empty. */
export function messageShape(
  message: Message,
  format: Format,
  wanted: readonly string[],
  view: View,
): object {
  const { account } = view;
  const { mailbox, history, labels } = account;
  const content = mailbox.contentOf(message);
  const size = content.attachments.reduce((sum, attachment) => sum + attachment.size, 0);
  const common = {
    ...reference(account, message.uid, message.conversation),
    ...labelIds(labels.of(message)),
    snippet: escapeHtml(plainText(content.body.text).slice(0, 200)),
    sizeEstimate: 800 + Math.ceil((content.body.text.length + size) * 1.37),
    historyId: history.ofMessage(message.uid).toString(),
    internalDate: String(message.receivedAt),
  };
  switch (format) {
    case 'minimal':
      return common;
    case 'raw':
      return { ...common, raw: base64url(writeRaw(structureOf(message, content, mailbox.seed)), view) };
    case 'metadata': {
      const headers = headersOf(message, content, mailbox.seed);
      const names = new Set(wanted.map((name) => name.toLowerCase()));
      const shown = names.size === 0 ? headers : headers.filter(({ name }) => names.has(name.toLowerCase()));
      return { ...common, payload: { ...(shown.length === 0 ? {} : { headers: shown }) } };
    }
    case 'full':
      return { ...common, payload: payload(structureOf(message, content, mailbox.seed), message, view) };
    default:
      return format satisfies never;
  }
}

interface Payload {
  readonly partId: string;
  readonly mimeType: string;
  readonly filename: string;
  readonly headers: readonly Header[];
  readonly body: object;
  readonly parts?: readonly Payload[];
}

function payload({ id, parts, ...part }: Part, message: Message, view: View): Payload {
  return {
    partId: id,
    mimeType: part.mimeType,
    filename: part.filename,
    headers: part.headers,
    body: body({ id, parts, ...part }, message, view),
    ...(parts.length === 0 ? {} : { parts: parts.map((child) => payload(child, message, view)) }),
  };
}

/** An attachment has another id at every look; each of them works. */
function body({ id, bytes, isAttachment }: Part, message: Message, view: View): object {
  if (bytes === null) return { size: 0 };
  if (!isAttachment) return { size: bytes.length, data: base64url(bytes, view) };
  const nonce = `${view.random.int(2 ** 32)}`;
  return {
    attachmentId: `ANGjdJ${Buffer.from(`${message.uid}:${id}:${nonce}`).toString('base64url')}`,
    size: bytes.length,
  };
}

/** `/messages/{id}/attachments/{attachmentId}`. */
export function attachmentShape(message: Message, attachmentId: string, view: View): object {
  const [uid, partId] = Buffer.from(attachmentId.slice(6), 'base64url').toString().split(':');
  const content = view.account.mailbox.contentOf(message);
  const find = (part: Part): Part | undefined =>
    part.id === partId ? part : part.parts.map(find).find((found) => found !== undefined);
  const part = find(structureOf(message, content, view.account.mailbox.seed));
  if (Number(uid) !== message.uid || !part?.isAttachment || !part.bytes) throw notFound();
  return { size: part.bytes.length, data: base64url(part.bytes, view) };
}

function base64url(bytes: Buffer, { random, behaviour }: View): string {
  const text = bytes.toString('base64url');
  return random.chance(behaviour.padding) ? text.padEnd(Math.ceil(text.length / 4) * 4, '=') : text;
}

function escapeHtml(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}
