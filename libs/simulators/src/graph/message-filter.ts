/** The part of `$filter` and `$orderby` that lists of messages understand here. */
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Message } from '../mailbox/message.ts';
import { badRequest } from './errors.ts';

const CLAUSE = /^(isRead|receivedDateTime|internetMessageId) (eq|ge|gt|le|lt) (.+)$/;

/** Clauses joined by `and`; throws 400 for any other. */
export function filterMessages(messages: Message[], filter: string | null, mailbox: Mailbox): Message[] {
  if (filter === null) return messages;
  return filter.split(/ and /).reduce((kept, clause) => {
    const [, property, operator, value = ''] = CLAUSE.exec(clause.trim()) ?? [];
    if (property === undefined || operator === undefined) throw badRequest('Invalid filter clause');
    return kept.filter((message) => holds(message, property, operator, value, mailbox));
  }, messages);
}

function holds(
  message: Message,
  property: string,
  operator: string,
  value: string,
  mailbox: Mailbox,
): boolean {
  if (property === 'isRead') return String(message.read) === value;
  if (property === 'internetMessageId') return `'${mailbox.contentOf(message).messageId}'` === value;
  const time = Date.parse(value);
  if (operator === 'ge') return message.receivedAt >= time;
  if (operator === 'gt') return message.receivedAt > time;
  if (operator === 'le') return message.receivedAt <= time;
  return operator === 'lt' ? message.receivedAt < time : message.receivedAt === time;
}

/** Newest first, unless asked for oldest first. */
export function sortMessages(messages: Message[], orderby: string | null): Message[] {
  const order = /^(received|lastModified)DateTime( asc| desc)?$/i.exec(orderby ?? 'receivedDateTime desc');
  if (!order) throw badRequest('The query option $orderby is not supported for this property.');
  const direction = order[2]?.trim().toLowerCase() === 'desc' ? -1 : 1;
  const at = (message: Message) =>
    order[1]?.toLowerCase() === 'received' ? message.receivedAt : message.modifiedAt;
  return messages.toSorted((a, b) => direction * (at(a) - at(b) || a.uid - b.uid));
}
