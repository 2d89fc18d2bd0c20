/** Whole messages in the form of RFC 5322: written from a structure, and read as far as drafts need it. */
import type { Content, Person } from '../mailbox/message.ts';
import type { Part } from './content.ts';

export function writeRaw(part: Part): Buffer {
  return Buffer.from(lines(part).join('\r\n'));
}

function lines({ headers, bytes, parts }: Part): string[] {
  const head = [...headers.map(({ name, value }) => `${name}: ${encoded(value)}`), ''];
  if (parts.length === 0) return [...head, base64(bytes ?? Buffer.alloc(0)), ''];
  const boundary = /boundary="([^"]+)"/.exec(headers.map(({ value }) => value).join())?.[1] ?? '';
  return [...head, ...parts.flatMap((part) => [`--${boundary}`, ...lines(part)]), `--${boundary}--`, ''];
}

/** RFC 2047, where it is needed; addresses stay as they are. */
function encoded(value: string): string {
  return value.replace(/[^\x20-\x7e]+/g, (text) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`);
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/(.{76})/g, '$1\r\n');
}

/** The content of a message that an application wrote: its headers, and all the rest as text. */
export function readRaw(raw: string): Partial<Content> {
  const text = Buffer.from(raw, 'base64url').toString();
  const [head = '', ...rest] = text.split(/\r?\n\r?\n/);
  const headers = new Map(
    head
      .replace(/\r?\n[ \t]+/g, ' ')
      .split(/\r?\n/)
      .map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
      }),
  );
  const people = (name: string) => (headers.get(name) ?? '').split(',').flatMap(person);
  return {
    subject: headers.get('subject') ?? '',
    from: people('from')[0] ?? null,
    to: people('to'),
    cc: people('cc'),
    bcc: people('bcc'),
    messageId: headers.get('message-id') ?? null,
    references: (headers.get('references') ?? '').split(/\s+/).filter((id) => id !== ''),
    body: { type: 'text', text: rest.join('\r\n\r\n') },
    attachments: [],
  };
}

/** `Name <address>`, or the address alone. */
function person(text: string): Person[] {
  const [, name = '', inside] = /^([^<]*)<([^<>]+@[^<>]+)>/.exec(text) ?? [];
  if (inside !== undefined) return [{ name: name.replaceAll('"', '').trim(), address: inside }];
  return text.includes('@') ? [{ name: '', address: text.trim() }] : [];
}
