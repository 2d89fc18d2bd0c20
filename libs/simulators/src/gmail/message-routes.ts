/** `/messages…` and `/threads…`. */
import type { Message } from '../mailbox/message.ts';
import type { GmailAccount } from './accounts.ts';
import { relabel } from './actions.ts';
import type { GmailDeps } from './deps.ts';
import { GoogleFault, invalid, notFound } from './errors.ts';
import { withLabels } from './labels.ts';
import { matching, pageOf } from './lists.ts';
import { attachmentShape, formatOf, labelIds, messageShape, reference, type View } from './message-shape.ts';
import { readRaw } from './raw.ts';
import { type GmailReply, type GmailRequest, members, NOTHING, ok, strings } from './request.ts';

/** `segments` after `messages`. */
export function messageRoutes(
  segments: readonly string[],
  request: GmailRequest,
  deps: GmailDeps,
): GmailReply {
  const { account, query, method, body } = request;
  const [id, action, last] = segments;
  if (id === undefined) return list(request, deps);
  if (method === 'POST' && id === 'send') return send(request);
  if (method === 'POST' && (id === 'batchModify' || id === 'batchDelete')) {
    for (const each of strings(body, 'ids')) {
      const message = account.ids.message(each);
      if (message && id === 'batchDelete') account.mailbox.remove(message.uid);
      else if (message) modify(message, request);
    }
    return NOTHING;
  }
  if (!/^[0-9a-f]+$/i.test(id)) throw invalid('Invalid id value');
  const message = account.ids.message(id);
  // Replicas: a message just announced need not be there yet.
  if (!message || account.history.readableAt(message.uid) > deps.clock.now()) throw notFound();
  if (method === 'GET' && action === 'attachments')
    return ok(attachmentShape(message, last ?? '', viewOf(request, deps)));
  if (method === 'GET' && action === undefined)
    return ok(messageShape(message, formatOf(query), query.getAll('metadataHeaders'), viewOf(request, deps)));
  if (method === 'DELETE' && action === undefined) {
    account.mailbox.remove(message.uid);
    return NOTHING;
  }
  act(action, message, request);
  return ok({
    ...reference(account, message.uid, message.conversation),
    ...labelIds(account.labels.of(message)),
  });
}

function list(request: GmailRequest, deps: GmailDeps): GmailReply {
  const { account, query } = request;
  const { page, rest } = pageOf(matching(account, query, deps.clock), 'messages', query);
  if (page.length === 0) return ok({ resultSizeEstimate: 0 });
  return ok({ messages: page.map((each) => reference(account, each.uid, each.conversation)), ...rest });
}

function act(action: string | undefined, message: Message, request: GmailRequest): void {
  const { account, method } = request;
  if (method !== 'POST') throw new GoogleFault(404, 'notFound', 'Not Found');
  if (action === 'modify') modify(message, request);
  else if (action === 'trash') relabel(account, message, ['TRASH'], ['INBOX', 'SPAM']);
  else if (action === 'untrash') relabel(account, message, [], ['TRASH']);
  else throw new GoogleFault(404, 'notFound', 'Not Found');
}

/** `addLabelIds` and `removeLabelIds`, all at once. What is a draft or sent stays so. */
function modify(message: Message, { account, body }: GmailRequest): void {
  const [add, remove] = [strings(body, 'addLabelIds'), strings(body, 'removeLabelIds')];
  for (const label of [...add, ...remove])
    if (account.labels.find(label)?.id !== label || label === 'SENT' || label === 'DRAFT')
      throw invalid(`Invalid label: ${label}`);
  relabel(account, message, add, remove);
}

/** Mail to oneself is one message, in the inbox and sent. Gmail writes its own Message-ID. */
function send({ account, body, grant }: GmailRequest): GmailReply {
  const content = readRaw(String(members(body).raw ?? ''));
  const { address } = account;
  const self = [...(content.to ?? []), ...(content.cc ?? [])].some((person) => person.address === address);
  const sent = account.mailbox.deliver({
    ...withLabels(account.mailbox, self ? ['UNREAD', 'SENT', 'INBOX'] : ['SENT']),
    content: {
      from: account.mailbox.owner,
      ...content,
      messageId: `<CA${grant.client.project}+${account.mailbox.size()}@mail.gmail.com>`,
    },
  });
  return ok({ ...reference(account, sent.uid, sent.conversation), ...labelIds(account.labels.of(sent)) });
}

/** `segments` after `threads`. */
export function threadRoutes(
  segments: readonly string[],
  request: GmailRequest,
  deps: GmailDeps,
): GmailReply {
  const { account, query, method } = request;
  const [id, action] = segments;
  if (id === undefined) return threadList(request, deps);
  const now = deps.clock.now();
  const messages = account.threads
    .messages(account.ids.conversation(id) ?? 0)
    .filter(({ uid }) => account.history.readableAt(uid) <= now);
  if (messages.length === 0) throw notFound();
  if (method === 'GET') {
    const format = formatOf(query);
    if (format === 'raw') throw invalid('RAW format is not supported for threads');
    const view = viewOf(request, deps);
    const headers = query.getAll('metadataHeaders');
    return ok({
      id,
      historyId: newestOf(messages, account).toString(),
      messages: messages.map((message) => messageShape(message, format, headers, view)),
    });
  }
  for (const message of messages) {
    if (method === 'DELETE') account.mailbox.remove(message.uid);
    else act(action, message, request);
  }
  return method === 'DELETE' ? NOTHING : ok({ id });
}

function newestOf(messages: readonly Message[], { history }: GmailAccount): bigint {
  let newest = 0n;
  for (const { uid } of messages) {
    const id = history.ofMessage(uid);
    if (id > newest) newest = id;
  }
  return newest;
}

function threadList({ account, query }: GmailRequest, deps: GmailDeps): GmailReply {
  const newest = new Map<number, Message>();
  for (const message of matching(account, query, deps.clock))
    if (!newest.has(message.conversation)) newest.set(message.conversation, message);
  const { page, rest } = pageOf([...newest.values()], 'threads', query);
  if (page.length === 0) return ok({ resultSizeEstimate: 0 });
  const ofThread = Map.groupBy(account.mailbox.messages(), ({ conversation }) => conversation);
  const threads = page.map(({ conversation }) => ({
    id: account.ids.ofThread(conversation),
    snippet: '',
    historyId: newestOf(ofThread.get(conversation) ?? [], account).toString(),
  }));
  return ok({ threads, ...rest });
}

export function viewOf({ account }: GmailRequest, deps: GmailDeps): View {
  return { account, random: deps.random, behaviour: deps.behaviour().gmail };
}
