/** `/messages…`: lists, single messages, and what may be done to them. */
import type { Folder, Message } from '../mailbox/message.ts';
import { attachmentRoutes } from './attachments.ts';
import { type DeltaDeps, messageDelta } from './delta.ts';
import { badRequest, GraphFault, notFound } from './errors.ts';
import { filterMessages, sortMessages } from './message-filter.ts';
import { messageSelection, messageShape, type Selection } from './message-shape.ts';
import { writeMime } from './mime.ts';
import { pageOf } from './paging.ts';
import { type GraphReply, type GraphRequest, members, preferences, text } from './request.ts';

/** `/mailFolders/{id}/messages…`; `segments` after `messages`. */
export function folderMessages(
  folder: Folder,
  segments: readonly string[],
  request: GraphRequest,
  deps: DeltaDeps,
): GraphReply {
  if (segments[0] === 'delta') return messageDelta(folder, request, deps);
  if (segments.length > 0) return messageRoutes(segments, request, deps);
  const { mailbox } = request.account;
  return list(
    [...folder.members].flatMap((uid) => mailbox.message(uid) ?? []),
    request,
    deps,
  );
}

/** `/messages…`; `segments` after `messages`. */
export function messageRoutes(
  segments: readonly string[],
  request: GraphRequest,
  deps: DeltaDeps,
): GraphReply {
  const [id, action, ...rest] = segments;
  if (id === 'delta')
    throw badRequest(
      "Unsupported request: Change tracking is not supported against 'microsoft.graph.message'.",
    );
  if (id === undefined) return list([...request.account.mailbox.messages()], request, deps);
  const { ids, purged } = request.account;
  const message = ids.message(id);
  if (!message && (request.method === 'DELETE' || action === 'permanentDelete') && purged.has(ids.uidOf(id)))
    throw new GraphFault(403, 'ErrorCannotDeleteObject', 'The object cannot be deleted.');
  // Replicas: a message just announced need not be there yet.
  if (!message || message.visibleAt > deps.clock.now()) throw notFound();
  if (action === undefined) return single(message, request);
  if (action === '$value')
    return {
      status: 200,
      headers: { 'content-type': 'text/plain' },
      body: writeMime(message, request.account.mailbox.contentOf(message), deps.random),
    };
  if (action === 'attachments') return attachmentRoutes(message, rest, request, deps.base());
  if (request.method === 'POST') return act(action, message, request);
  throw badRequest(`Resource not found for the segment '${action}'.`);
}

function list(messages: Message[], request: GraphRequest, deps: DeltaDeps): GraphReply {
  const { mailbox } = request.account;
  const now = deps.clock.now();
  const seen = messages.filter((message) => message.visibleAt <= now);
  const sorted = sortMessages(
    filterMessages(seen, request.query.get('$filter'), mailbox),
    request.query.get('$orderby'),
  );
  const select = messageSelection(request.query);
  const options = { base: deps.base(), type: 'message', largestPage: 1_000 };
  return pageOf(sorted, request, options, (message) => show(message, request, select));
}

function single(message: Message, request: GraphRequest): GraphReply {
  const { mailbox } = request.account;
  switch (request.method) {
    case 'GET':
      return { status: 200, body: show(message, request, messageSelection(request.query)) };
    case 'PATCH':
      patch(message, request);
      return { status: 200, body: show(message, request, null) };
    case 'DELETE': {
      const bin = mailbox.folderOf('deleted');
      if (!bin || message.folder === bin.uid) mailbox.remove(message.uid);
      else mailbox.move(message.uid, bin.uid);
      return { status: 204 };
    }
    default:
      throw new GraphFault(405, 'ErrorInvalidRequest', 'The HTTP method is not allowed.');
  }
}

function act(action: string, message: Message, request: GraphRequest): GraphReply {
  const { mailbox, purged } = request.account;
  if (action === 'permanentDelete') {
    if (request.headers['content-length'] === undefined)
      throw new GraphFault(411, 'ErrorInvalidRequest', 'A Content-Length header is required.');
    mailbox.remove(message.uid);
    purged.add(message.uid);
    return { status: 204 };
  }
  if (action !== 'move' && action !== 'copy')
    throw badRequest(`Resource not found for the segment '${action}'.`);
  const folder = destination(request);
  const result =
    action === 'move' ? mailbox.move(message.uid, folder.uid) : mailbox.copy(message.uid, folder.uid);
  return { status: 201, body: show(result, request, null) };
}

/** The folder a body's `destinationId` names, by id or alias. */
export function destination(request: GraphRequest): Folder {
  const folder = request.account.ids.folder(text(request.body, 'destinationId'));
  if (!folder) throw notFound();
  return folder;
}

const FLAGS = new Map([
  ['notFlagged', 'none'],
  ['flagged', 'flagged'],
  ['complete', 'complete'],
] as const);

function patch(message: Message, request: GraphRequest): void {
  const { mailbox } = request.account;
  const { isRead, flag, categories } = members(request.body);
  if (typeof isRead === 'boolean') mailbox.markRead(message.uid, isRead);
  const status = members(flag).flagStatus;
  const known = [...FLAGS].find(([name]) => name === status)?.[1];
  const names = Array.isArray(categories) ? categories.map(String) : undefined;
  if (known !== undefined || names !== undefined)
    mailbox.change(message.uid, {
      ...(known === undefined ? {} : { flag: known }),
      ...(names === undefined ? {} : { categories: names }),
    });
}

function show(message: Message, request: GraphRequest, select: Selection): Record<string, unknown> {
  const { immutableIds, textBodies } = preferences(request.headers);
  return messageShape(message, { account: request.account, immutableIds, textBodies, select });
}
