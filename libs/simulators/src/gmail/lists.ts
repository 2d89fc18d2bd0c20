/** Which messages a list has, newest first: positions in a list that moves, not a snapshot. */
import type { Clock } from '../clock.ts';
import type { Message } from '../mailbox/message.ts';
import type { GmailAccount } from './accounts.ts';
import { pageSize, readPageToken, writePageToken } from './request.ts';

const LARGEST_PAGE = 500;

/** Messages that can be seen by now and match `labelIds` (all of them), `includeSpamTrash` and `q`. */
export function matching(account: GmailAccount, query: URLSearchParams, clock: Clock): Message[] {
  const wanted = query.getAll('labelIds');
  const everywhere = query.get('includeSpamTrash') === 'true';
  const fits = search(account, query.get('q') ?? '');
  const now = clock.now();
  const found: Message[] = [];
  for (const message of account.mailbox.messages()) {
    const labels = account.history.labelsOf(message.uid);
    if (message.visibleAt > now || !wanted.every((label) => labels.includes(label))) continue;
    if (!everywhere && (labels.includes('TRASH') || labels.includes('SPAM'))) continue;
    if (fits(message)) found.push(message);
  }
  return newestFirst(found);
}

/** Almost always they are in order already, the oldest first. */
function newestFirst(messages: Message[]): Message[] {
  return messages.reverse().sort((a, b) => b.receivedAt - a.receivedAt || b.uid - a.uid);
}

/** A page of `items`, and the token of the next one. */
export function pageOf<T>(items: readonly T[], kind: string, query: URLSearchParams) {
  const start = Number(readPageToken(query, kind) ?? 0);
  const end = start + pageSize(query, LARGEST_PAGE);
  const page = items.slice(start, end);
  const more = end < items.length;
  return {
    page,
    rest: {
      ...(more ? { nextPageToken: writePageToken(kind, String(end)) } : {}),
      // An estimate indeed: it never says more than this.
      resultSizeEstimate: Math.min(items.length, 201),
    },
  };
}

/** A little of Gmail's search: `rfc822msgid:`, `is:unread`, `is:starred`, and words of the subject. */
function search({ mailbox }: GmailAccount, q: string): (message: Message) => boolean {
  const terms = q.toLowerCase().split(/\s+/).filter(Boolean);
  if (terms.length === 0) return () => true;
  return (message) => {
    const content = mailbox.contentOf(message);
    return terms.every((term) => {
      if (term === 'is:unread') return !message.read;
      if (term === 'is:starred') return message.flag === 'flagged';
      const id = /^rfc822msgid:<?([^>]+)>?$/.exec(term)?.[1];
      if (id !== undefined) return content.messageId?.toLowerCase() === `<${id}>`;
      return content.subject.toLowerCase().includes(term);
    });
  };
}
