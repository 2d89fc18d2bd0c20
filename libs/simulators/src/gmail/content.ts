/** The MIME structure of a message: headers as senders write them, and parts within parts. */
import type { Attachment, Content, Message, Person } from '../mailbox/message.ts';
import { mixSeeds } from '../random.ts';

export interface Header {
  readonly name: string;
  readonly value: string;
}

export interface Part {
  /** `0.1` is the second part of the first; empty for the message itself. */
  readonly id: string;
  readonly mimeType: string;
  readonly filename: string;
  readonly headers: readonly Header[];
  readonly bytes: Buffer | null;
  /** Bytes that are fetched separately. */
  readonly isAttachment: boolean;
  readonly parts: readonly Part[];
}

/** The top of the tree, with the headers of the message. `salt`: of the mailbox. */
export function structureOf(message: Message, content: Content, salt: number): Part {
  const top = bodyOf(message, content, '');
  return { ...top, headers: [...headersOf(message, content, salt), ...top.headers] };
}

/** The letters after `Message-`: senders differ, and some write neither `Date` nor the usual case. */
const ID_NAMES = ['Message-ID', 'Message-Id', 'Message-ID', 'message-id'] as const;

/** In the order of the wire. `Received` comes twice; what a sender left out is not there. */
export function headersOf(message: Message, content: Content, salt: number): Header[] {
  const { from, to, cc, bcc, subject, messageId, references, importance } = content;
  const habit = mixSeeds(salt, message.contentOf, 3);
  const idName = ID_NAMES[habit % ID_NAMES.length] ?? 'Message-ID';
  const date = new Date(message.receivedAt - 2_000).toUTCString().replace('GMT', '+0000');
  const one = (name: string, value: string | null) => (value ? [{ name, value }] : []);
  const owner = to[0]?.address ?? '';
  return [
    ...one('Delivered-To', message.sent || message.draft ? null : owner),
    ...(message.sent || message.draft
      ? []
      : [
          { name: 'Received', value: `by 2002:a05:6000:1a89:b0 with SMTP id x${message.uid}; ${date}` },
          { name: 'Received', value: `from mail.example.com by mx.example.com; ${date}` },
        ]),
    ...one(idName, messageId),
    ...one('Date', (habit >>> 8) % 50 === 0 ? null : date),
    ...one('From', from && mailboxes([from])),
    ...one('To', mailboxes(to)),
    ...one('Cc', mailboxes(cc)),
    ...one('Bcc', message.sent || message.draft ? mailboxes(bcc) : null),
    ...one((habit >>> 16) % 10 === 0 ? 'SUBJECT' : 'Subject', subject),
    ...one('In-Reply-To', references.at(-1) ?? null),
    ...one('References', references.join(' ')),
    ...one('Importance', importance === 'normal' ? null : importance),
    { name: 'MIME-Version', value: '1.0' },
  ];
}

function bodyOf(message: Message, content: Content, id: string): Part {
  const files = content.attachments.filter((attachment) => !attachment.inline);
  const calendar = message.kind === 'meeting-request';
  if (files.length === 0 && !calendar) return textOf(content, id);
  const parts = [
    (at: string) => textOf(content, at),
    ...files.map((file) => (at: string) => attachmentPart(file, at)),
    ...(calendar ? [(at: string) => leaf(at, 'text/calendar', Buffer.from(CALENDAR))] : []),
  ];
  return multipart('mixed', id, parts);
}

/** Text alone; or text and HTML, the HTML with its pictures. */
function textOf({ body, attachments }: Content, id: string): Part {
  const plain = (at: string) => leaf(at, 'text/plain', Buffer.from(plainText(body.text)));
  const html = (at: string) => leaf(at, 'text/html', Buffer.from(body.text));
  const pictures = attachments.filter((attachment) => attachment.inline);
  const related = (at: string) =>
    pictures.length === 0
      ? html(at)
      : multipart('related', at, [
          html,
          ...pictures.map((picture) => (inner: string) => attachmentPart(picture, inner)),
        ]);
  if (body.type === 'html') return multipart('alternative', id, [plain, related]);
  const text = (at: string) => leaf(at, 'text/plain', Buffer.from(body.text));
  return pictures.length === 0
    ? text(id)
    : multipart('related', id, [text, ...pictures.map((p) => (at: string) => attachmentPart(p, at))]);
}

function multipart(kind: string, id: string, parts: readonly ((id: string) => Part)[]): Part {
  const mimeType = `multipart/${kind}`;
  const value = `${mimeType}; boundary="000000000000${mixSeeds(parts.length, id.length).toString(16)}${id}"`;
  return {
    id,
    mimeType,
    filename: '',
    headers: [{ name: 'Content-Type', value }],
    bytes: null,
    isAttachment: false,
    parts: parts.map((make, index) => make(id === '' ? String(index) : `${id}.${index}`)),
  };
}

function leaf(id: string, mimeType: string, bytes: Buffer): Part {
  const headers = [
    { name: 'Content-Type', value: `${mimeType}; charset="UTF-8"` },
    { name: 'Content-Transfer-Encoding', value: 'base64' },
  ];
  return { id, mimeType, filename: '', headers, bytes, isAttachment: false, parts: [] };
}

function attachmentPart({ name, contentType, inline, contentId, bytes }: Attachment, id: string): Part {
  const headers = [
    { name: 'Content-Type', value: `${contentType}; name="${name}"` },
    { name: 'Content-Disposition', value: `${inline ? 'inline' : 'attachment'}; filename="${name}"` },
    { name: 'Content-Transfer-Encoding', value: 'base64' },
    ...(contentId === null ? [] : [{ name: 'Content-ID', value: `<${contentId}>` }]),
  ];
  return {
    id,
    mimeType: contentType,
    filename: name,
    headers,
    bytes: bytes(),
    isAttachment: true,
    parts: [],
  };
}

export function plainText(text: string): string {
  return text
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

function mailboxes(people: readonly Person[]): string {
  return people.map(({ name, address }) => `${name} <${address}>`).join(', ');
}

const CALENDAR = 'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n';
