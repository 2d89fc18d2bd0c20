/** `/labels…`: lists without counts, single labels with them. */
import { GoogleFault, invalid, notFound } from './errors.ts';
import type { Label } from './labels.ts';
import { type GmailReply, type GmailRequest, members, NOTHING, ok } from './request.ts';

/** System labels that are shown say so by saying nothing. */
const SHOWN = new Set(['SENT', 'INBOX', 'DRAFT', 'STARRED', 'UNREAD']);
const HIDDEN = { messageListVisibility: 'hide', labelListVisibility: 'labelHide' };

/** `segments` after `labels`. */
export function labelRoutes(segments: readonly string[], request: GmailRequest): GmailReply {
  const { account, method, body } = request;
  const { labels, history } = account;
  const [id] = segments;
  if (id === undefined)
    return ok(method === 'POST' ? shape(create(body)) : { labels: labels.all().map(shape) });
  const label = labels.all().find((each) => each.id === id);
  if (!label) throw notFound();
  if (method === 'GET') return ok({ ...shape(label), ...counts(label, request) });
  if (label.type === 'system') throw invalid('Invalid update request');
  if (method === 'DELETE') {
    history.silently(() => labels.remove(label));
    return NOTHING;
  }
  const { name } = members(body);
  if (typeof name === 'string') labels.rename(label, name);
  return ok(shape(labels.find(id) ?? label));

  function create(wanted: unknown): Label {
    const { name: own } = members(wanted);
    if (typeof own !== 'string' || own === '') throw invalid('Invalid label name');
    if (labels.find(own)) throw new GoogleFault(409, 'aborted', 'Label name exists or conflicts');
    return labels.create(own);
  }
}

function shape({ id, name, type }: Label) {
  const shown = type === 'user' || SHOWN.has(id);
  return { id, name, ...(shown ? {} : HIDDEN), type };
}

function counts(label: Label, { account }: GmailRequest) {
  const threads = new Set<number>();
  const unreadThreads = new Set<number>();
  let [messagesTotal, messagesUnread] = [0, 0];
  for (const { uid, conversation, read } of account.mailbox.messages()) {
    if (!account.history.labelsOf(uid).includes(label.id)) continue;
    messagesTotal++;
    threads.add(conversation);
    if (read) continue;
    messagesUnread++;
    unreadThreads.add(conversation);
  }
  return { messagesTotal, messagesUnread, threadsTotal: threads.size, threadsUnread: unreadThreads.size };
}
