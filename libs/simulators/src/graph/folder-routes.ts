/** `/mailFolders…`: the tree, and what may be done to it. */
import type { Folder } from '../mailbox/message.ts';
import { type DeltaDeps, folderDelta } from './delta.ts';
import { badRequest, notFound } from './errors.ts';
import { folderSelection, folderShape } from './folder-shape.ts';
import { destination, folderMessages } from './message-routes.ts';
import { pageOf } from './paging.ts';
import { type GraphReply, type GraphRequest, text } from './request.ts';

/** `segments` after `mailFolders`. */
export function folderRoutes(
  segments: readonly string[],
  request: GraphRequest,
  deps: DeltaDeps,
): GraphReply {
  const { mailbox, ids } = request.account;
  const [first, second, ...rest] = segments;
  if (first === undefined) return collection(mailbox.root, request, deps);
  if (first === 'delta') return folderDelta(request, deps);
  const folder = ids.folder(first);
  if (!folder) throw notFound();
  if (second === undefined) return single(folder, request);
  if (second === 'childFolders' && rest.length === 0) return collection(folder, request, deps);
  if (second === 'messages') return folderMessages(folder, rest, request, deps);
  if (second === 'move' && request.method === 'POST') {
    mailbox.moveFolder(folder.uid, destination(request).uid);
    return { status: 201, body: folderShape(folder, request.account, null) };
  }
  throw badRequest(`Resource not found for the segment '${second}'.`);
}

/** The children of a folder: only its own, never their children. */
function collection(parent: Folder, request: GraphRequest, deps: DeltaDeps): GraphReply {
  const { account, query } = request;
  if (request.method === 'POST') {
    const created = account.mailbox.createFolder(text(request.body, 'displayName'), parent.uid);
    return { status: 201, body: folderShape(created, account, null) };
  }
  const select = folderSelection(query);
  const hidden = query.get('includeHiddenFolders') === 'true';
  const children = account.mailbox.childrenOf(parent.uid).filter((child) => hidden || !child.hidden);
  const options = { base: deps.base(), type: 'mailFolder', largestPage: 1_000 };
  return pageOf(children, request, options, (folder) => folderShape(folder, account, select));
}

function single(folder: Folder, request: GraphRequest): GraphReply {
  const { account } = request;
  if (request.method === 'PATCH') account.mailbox.renameFolder(folder.uid, text(request.body, 'displayName'));
  if (request.method === 'DELETE') {
    const bin = account.mailbox.folderOf('deleted');
    // Like a person's deletion: first into Deleted Items, from there for good.
    if (bin && !isWithin(folder, bin, request)) account.mailbox.moveFolder(folder.uid, bin.uid);
    else account.mailbox.removeFolder(folder.uid);
    return { status: 204 };
  }
  return { status: 200, body: folderShape(folder, account, folderSelection(request.query)) };
}

function isWithin(folder: Folder, ancestor: Folder, request: GraphRequest): boolean {
  for (
    let at: Folder | undefined = folder;
    at;
    at = at.parent === null ? undefined : request.account.mailbox.folder(at.parent)
  )
    if (at.uid === ancestor.uid) return true;
  return false;
}
