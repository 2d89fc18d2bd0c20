/** What a provider's description of a message says about which message it is, and which conversation it belongs to. */
import type { MessageContent, MessageUpsert } from '@mailstream/contracts';
import { AppError } from '@mailstream/runtime';
import { digestId } from '../../derived-id.ts';
import type { Content } from './state.ts';

/** An upsert with everything computed that does not depend on the view. */
export interface Description {
  readonly content: Content;
  readonly receivedAt: string;
  readonly hint: string | null;
  /** What to find its thread by; the first is its own. */
  readonly threadRefs: readonly string[];
}

/** Throws `view.bad_time` when `receivedAt` is no time. */
export function describe(account: string, { keyKind, content }: MessageUpsert): Description {
  const receivedAt = utc(content.receivedAt);
  return {
    content: contentOf(content),
    receivedAt,
    hint: keyKind === 'copy' ? hintOf(account, content, receivedAt) : null,
    threadRefs: threadRefsOf(account, content),
  };
}

function utc(time: string): string {
  const ms = Date.parse(time);
  if (Number.isNaN(ms))
    throw new AppError('view.bad_time', 'parse', `receivedAt is no time: ${JSON.stringify(time)}`);
  return new Date(ms).toISOString();
}

function contentOf(content: MessageContent): Content {
  return {
    subject: content.subject,
    from: content.from,
    sender: content.sender,
    replyTo: content.replyTo,
    to: content.to,
    cc: content.cc,
    bcc: content.bcc,
    recipientsOmitted: content.recipientsOmitted,
    sentAt: content.sentAt,
    size: content.size,
    messageId: content.messageId,
    snippet: content.snippet,
    attachments: content.attachments,
  };
}

/**
 * What stays the same when a server moves or copies a message: a digest of all of it, because a Message-ID alone may be repeated or
 * forged. Null without a Message-ID: there would be too little to tell messages apart by.
 */
function hintOf(account: string, content: MessageContent, receivedAt: string): string | null {
  if (content.messageId === null || content.size === null) return null;
  return digestId(
    'hint',
    account,
    content.messageId,
    String(content.size),
    receivedAt,
    JSON.stringify(content.from),
    JSON.stringify(content.subject),
    JSON.stringify(content.sentAt),
  );
}

/**
 * The provider's thread, where it has one. Otherwise the Message-IDs a message bears and mentions: messages that share any are one
 * conversation (RFC 5256 section 2.2, REFERENCES). Never the subject: "Hello" is no conversation.
 */
function threadRefsOf(account: string, content: MessageContent): string[] {
  if (content.providerThread !== null) return [digestId('thread', account, content.providerThread)];
  const ids = new Set([content.messageId, content.inReplyTo, ...content.references]);
  return [...ids].filter((id) => id !== null).map((id) => digestId('message-id', account, id));
}
