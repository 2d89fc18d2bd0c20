/** A message as MIME, written anew at every call: boundaries and header order are never those of the original. */
import type { Attachment, Content, Message, Person } from '../mailbox/message.ts';
import type { Random } from '../random.ts';

export function writeMime(message: Message, content: Content, random: Random): string {
  const boundary = `_000_${random.int(2 ** 32).toString(16)}${random.int(2 ** 32).toString(16)}_`;
  const headers = [
    ...(content.from === null ? [] : [`From: ${mailboxes([content.from])}`]),
    ...(content.to.length === 0 ? [] : [`To: ${mailboxes(content.to)}`]),
    ...(content.cc.length === 0 ? [] : [`Cc: ${mailboxes(content.cc)}`]),
    `Subject: ${encoded(content.subject)}`,
    `Date: ${new Date(message.receivedAt).toUTCString().replace('GMT', '+0000')}`,
    ...(content.messageId === null ? [] : [`Message-ID: ${content.messageId}`]),
    ...(content.references.length === 0 ? [] : [`References: ${content.references.join(' ')}`]),
    'MIME-Version: 1.0',
  ];
  const body = [
    `Content-Type: text/${content.body.type === 'html' ? 'html' : 'plain'}; charset="utf-8"`,
    'Content-Transfer-Encoding: base64',
    '',
    base64(Buffer.from(content.body.text)),
  ];
  if (content.attachments.length === 0) return [...headers, ...body, ''].join('\r\n');
  return [
    ...headers,
    `Content-Type: multipart/mixed; boundary="${boundary}"`,
    '',
    `--${boundary}`,
    ...body,
    ...content.attachments.flatMap((attachment) => [`--${boundary}`, ...part(attachment)]),
    `--${boundary}--`,
    '',
  ].join('\r\n');
}

function part(attachment: Attachment): string[] {
  return [
    `Content-Type: ${attachment.contentType}; name="${encoded(attachment.name)}"`,
    `Content-Disposition: ${attachment.inline ? 'inline' : 'attachment'}`,
    ...(attachment.contentId === null ? [] : [`Content-ID: <${attachment.contentId}>`]),
    'Content-Transfer-Encoding: base64',
    '',
    base64(attachment.bytes()),
  ];
}

function mailboxes(people: readonly Person[]): string {
  return people.map(({ name, address }) => `${encoded(name)} <${address}>`).join(', ');
}

/** RFC 2047, where it is needed. */
function encoded(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replace(/(.{76})/g, '$1\r\n');
}
