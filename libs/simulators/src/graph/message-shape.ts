/** A message as Graph shows it. */
import type { Content, Message, Person } from '../mailbox/message.ts';
import type { Account } from './accounts.ts';
import { badRequest } from './errors.ts';

/** Properties in the order they are sent; `null` selects all that come without asking. */
export type Selection = readonly string[] | null;

export interface View {
  readonly account: Account;
  readonly immutableIds: boolean;
  readonly textBodies: boolean;
  readonly select: Selection;
}

interface Source {
  readonly message: Message;
  readonly view: View;
  /** Written on first use. */
  content(): Content;
}

const FLAGS = { none: 'notFlagged', flagged: 'flagged', complete: 'complete' } as const;
const iso = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`;
const recipient = ({ name, address }: Person) => ({ emailAddress: { name, address } });
const plainText = (text: string) =>
  text
    .replace(/<[^>]+>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
const body = ({ content, view }: Source) => {
  const { type, text } = content().body;
  if (view.textBodies && type === 'html') return { contentType: 'text', content: plainText(text) };
  return { contentType: type, content: text };
};

const PROPERTIES: Readonly<Record<string, (source: Source) => unknown>> = {
  createdDateTime: ({ message }) => iso(message.receivedAt),
  lastModifiedDateTime: ({ message }) => iso(message.modifiedAt),
  changeKey: ({ message, view }) => view.account.ids.changeKey(message),
  categories: ({ message }) => message.categories,
  receivedDateTime: ({ message }) => iso(message.receivedAt),
  sentDateTime: ({ message }) => iso(message.receivedAt - 2_000),
  hasAttachments: ({ content }) => content().attachments.some((attachment) => !attachment.inline),
  internetMessageId: ({ content }) => content().messageId,
  subject: ({ content }) => content().subject,
  bodyPreview: ({ content }) => plainText(content().body.text).slice(0, 255),
  importance: ({ content }) => content().importance,
  parentFolderId: ({ message, view }) => view.account.ids.ofFolder(message.folder),
  conversationId: ({ message, view }) => view.account.ids.ofConversation(message.conversation),
  conversationIndex: ({ message }) => Buffer.from(`01DC${message.conversation}`).toString('base64'),
  isDeliveryReceiptRequested: () => false,
  isReadReceiptRequested: () => false,
  isRead: ({ message }) => message.read,
  isDraft: ({ message }) => message.draft,
  webLink: ({ message, view }) =>
    `https://outlook.example.com/owa/?ItemID=${encodeURIComponent(view.account.ids.ofMessage(message, false))}`,
  inferenceClassification: () => 'focused',
  body,
  sender: ({ content }) => person(content().from),
  from: ({ content }) => person(content().from),
  toRecipients: ({ content }) => content().to.map(recipient),
  ccRecipients: ({ content }) => content().cc.map(recipient),
  bccRecipients: ({ content }) => content().bcc.map(recipient),
  replyTo: () => [],
  flag: ({ message }) => ({ flagStatus: FLAGS[message.flag] }),
};

/** Sent only when selected by name. */
const ON_REQUEST: Readonly<Record<string, (source: Source) => unknown>> = {
  uniqueBody: body,
  internetMessageHeaders: ({ content }) => {
    const { messageId, references, subject } = content();
    return [
      { name: 'Subject', value: subject },
      ...(messageId === null ? [] : [{ name: 'Message-ID', value: messageId }]),
      ...(references.length === 0 ? [] : [{ name: 'References', value: references.join(' ') }]),
      { name: 'Received', value: 'from mx.example.com by mail.example.com' },
    ];
  },
};

/** Reads `$select` of messages. Throws 400 for a property there is none of. */
export function messageSelection(query: URLSearchParams): Selection {
  const select = selection(query);
  for (const name of select ?? [])
    if (name !== 'id' && !(name in PROPERTIES) && !(name in ON_REQUEST))
      throw unknownProperty(name, 'message');
  return select;
}

export function selection(query: URLSearchParams): Selection {
  const select = query.get('$select');
  return select === null || select === '' ? null : select.split(',').map((name) => name.trim());
}

export function unknownProperty(name: string, type: string) {
  return badRequest(
    `Parsing OData Select and Expand failed: Could not find a property named '${name}' on type 'microsoft.graph.${type}'.`,
  );
}

/** The object; `@odata.type` is in it where several types can come. */
export function messageShape(message: Message, view: View): Record<string, unknown> {
  let written: Content | undefined;
  const source: Source = {
    message,
    view,
    content: () => {
      written ??= view.account.mailbox.contentOf(message);
      return written;
    },
  };
  const shape: Record<string, unknown> = {
    '@odata.type': messageType(message),
    '@odata.etag': etagOf(message, view.account),
    id: view.account.ids.ofMessage(message, view.immutableIds),
  };
  for (const name of view.select ?? Object.keys(PROPERTIES)) {
    const property = PROPERTIES[name] ?? ON_REQUEST[name];
    if (property) shape[name] = property(source);
  }
  return shape;
}

export function etagOf(message: Message, account: Account): string {
  return `W/"${account.ids.changeKey(message)}"`;
}

export function messageType(message: Message): string {
  return message.kind === 'message' ? '#microsoft.graph.message' : '#microsoft.graph.eventMessageRequest';
}

function person(from: Person | null): unknown {
  return from === null ? undefined : recipient(from);
}
