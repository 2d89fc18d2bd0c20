/** `/drafts…`. */
import type { Content, Message } from '../mailbox/message.ts';
import type { GmailDeps } from './deps.ts';
import { notFound } from './errors.ts';
import { pageOf } from './lists.ts';
import { viewOf } from './message-routes.ts';
import { formatOf, labelIds, messageShape, reference } from './message-shape.ts';
import { readRaw } from './raw.ts';
import { type GmailReply, type GmailRequest, members, NOTHING, ok } from './request.ts';

/** `segments` after `drafts`. */
export function draftRoutes(segments: readonly string[], request: GmailRequest, deps: GmailDeps): GmailReply {
  const { account, method, query, body } = request;
  const { drafts, mailbox } = account;
  const [first] = segments;
  const brief = (message: Message) => ({
    ...reference(account, message.uid, message.conversation),
    ...labelIds(account.labels.of(message)),
  });
  const shape = (message: Message) => ({ id: drafts.ofMessage(message.uid), message: brief(message) });
  const find = (id: unknown) => {
    const draft = typeof id === 'string' ? drafts.find(id) : undefined;
    if (!draft) throw notFound();
    return draft;
  };

  if (first === undefined && method === 'POST') return ok(shape(drafts.create(contentOf(body))));
  if (first === undefined) {
    const { page, rest } = pageOf(drafts.all(), 'drafts', query);
    if (page.length === 0) return ok({ resultSizeEstimate: 0 });
    const shown = page.map(({ uid, conversation }) => ({
      id: drafts.ofMessage(uid),
      message: reference(account, uid, conversation),
    }));
    return ok({ drafts: shown, ...rest });
  }
  if (first === 'send') {
    const sent = drafts.send(find(members(body).id), deps.behaviour().gmail.sentDrafts);
    return ok(brief(sent));
  }
  const draft = find(first);
  switch (method) {
    case 'PUT':
      return ok(shape(drafts.update(draft, contentOf(body))));
    case 'DELETE':
      mailbox.remove(draft.uid);
      return NOTHING;
    default: {
      const message = messageShape(draft, formatOf(query), [], viewOf(request, deps));
      return ok({ id: first, message });
    }
  }
}

function contentOf(body: unknown): Partial<Content> {
  return readRaw(String(members(members(body).message).raw ?? ''));
}
