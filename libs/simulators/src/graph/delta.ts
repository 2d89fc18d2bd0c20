/** Change feeds: first and later rounds in pages, each page with a link to go on or to come back. */
import type { Behaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { Folder } from '../mailbox/message.ts';
import type { Random } from '../random.ts';
import {
  type ChangeType,
  type Entry,
  type FeedState,
  type FirstRequest,
  firstRound,
  folderRound,
  laterRound,
  type Round,
} from './delta-round.ts';
import { badRequest, GraphFault } from './errors.ts';
import { folderSelection, folderShape } from './folder-shape.ts';
import type { Line } from './generations.ts';
import { messageSelection, messageShape, messageType, type Selection } from './message-shape.ts';
import { type GraphReply, type GraphRequest, preferences } from './request.ts';

export interface DeltaDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly behaviour: () => Behaviour;
  /** `https://host:port/v1.0`. */
  readonly base: () => string;
}

const DEFAULT_PAGE = 10;
const LARGEST_PAGE = 1_000;
const UNORDERED: FirstRequest = { since: null, newestFirst: false };

/** `/mailFolders/{id}/messages/delta`. */
export function messageDelta(folder: Folder, request: GraphRequest, deps: DeltaDeps): GraphReply {
  const { account } = request;
  const { immutableIds, textBodies } = preferences(request.headers);
  const context = {
    mailbox: account.mailbox,
    behaviour: deps.behaviour().delta,
    random: deps.random,
    now: deps.clock.now(),
  };
  const shape = (entry: Entry, { select }: FeedState) => {
    const message = account.mailbox.message(entry.uid);
    if (entry.form === 'removed' || message?.folder !== folder.uid)
      return {
        '@odata.type': '#microsoft.graph.message',
        id: account.ids.ofMessage(entry, immutableIds),
        '@removed': { reason: deps.random.chance(context.behaviour.changedReasons) ? 'changed' : 'deleted' },
      };
    if (entry.form === 'full') return messageShape(message, { account, immutableIds, textBodies, select });
    return {
      '@odata.type': messageType(message),
      id: account.ids.ofMessage(message, immutableIds),
      isRead: entry.form === 'stale' ? !message.read : message.read,
      parentFolderId: account.ids.ofFolder(message.folder),
    };
  };
  return serve(request, deps, {
    feed: `messages:${folder.uid}`,
    context: '$metadata#Collection(message)',
    first: () => ({
      select: messageSelection(request.query),
      since: receivedSince(request.query.get('$filter')),
      newestFirst: isNewestFirst(request.query.get('$orderby')),
    }),
    begin: (state, asked) =>
      state.base < 0
        ? firstRound(folder, asked, context)
        : laterRound(folder, state.base, state.changeType, state.select?.includes('isRead') ?? true, context),
    // An entry planned by its number is a message in full.
    shape: (entry, state) =>
      shape(
        typeof entry === 'number'
          ? { uid: entry, placement: account.mailbox.message(entry)?.placement ?? 0, form: 'full' }
          : entry,
        state,
      ),
  });
}

/** `/mailFolders/delta`. */
export function folderDelta(request: GraphRequest, deps: DeltaDeps): GraphReply {
  const { account } = request;
  const unsupported = ['$orderby', '$filter', '$search', '$top'];
  if (unsupported.some((name) => request.query.has(name)))
    throw badRequest(
      `The following parameters are not supported with change tracking over the 'Folders' resource: '${unsupported.join(', ')}'.`,
    );
  const context = {
    mailbox: account.mailbox,
    behaviour: deps.behaviour().delta,
    random: deps.random,
    now: deps.clock.now(),
  };
  return serve(request, deps, {
    feed: 'folders',
    context: '$metadata#Collection(mailFolder)',
    first: () => ({ select: folderSelection(request.query), ...UNORDERED }),
    begin: (state) => folderRound(state.base < 0 ? null : state.base, state.hidden, context),
    shape: (entry, state) => {
      const uid = typeof entry === 'number' ? entry : entry.uid;
      const type = { '@odata.type': '#microsoft.graph.mailFolder' };
      const folder = account.mailbox.folder(uid);
      return folder
        ? { ...type, ...folderShape(folder, account, state.select) }
        : { ...type, id: account.ids.ofFolder(uid), '@removed': { reason: 'deleted' } };
    },
  });
}

interface Feed {
  readonly feed: string;
  readonly context: string;
  first(): FirstRequest & { readonly select: Selection };
  begin(state: FeedState, asked: FirstRequest): Round;
  shape(entry: number | Entry, state: FeedState): object;
}

function serve(request: GraphRequest, deps: DeltaDeps, feed: Feed): GraphReply {
  const behaviour = deps.behaviour().delta;
  const { kind } = request.account;
  const start = `${deps.base()}${request.path}`;
  const { line, state, asked } = resume(request, deps, feed, start);
  const round = state.round ?? feed.begin(state, asked);
  const end = Math.min(round.entries.length, state.cap ?? Number.POSITIVE_INFINITY);
  const wanted = preferences(request.headers).pageSize ?? DEFAULT_PAGE;
  const size = kind === 'consumer' ? DEFAULT_PAGE : Math.min(wanted, LARGEST_PAGE);
  const empty = !state.afterEmptyPage && deps.random.chance(behaviour.emptyPages);
  const offset = empty ? state.offset : Math.min(state.offset + size, end);
  const value = round.entries.slice(state.offset, offset).map((entry) => feed.shape(entry, state));
  const link = (parameter: string, next: FeedState) =>
    `${start}?${parameter}=${encodeURIComponent(line.issue(next))}`;
  const context = `${deps.base()}/${feed.context}`;
  const more = empty || offset < end;
  return {
    status: 200,
    body: more
      ? {
          '@odata.context': context,
          '@odata.nextLink': link('$skiptoken', { ...state, round, offset, afterEmptyPage: empty }),
          value,
        }
      : {
          '@odata.context': context,
          '@odata.deltaLink': link(behaviour.deltaLinkParameter, {
            ...state,
            round: null,
            offset: 0,
            base: round.base,
            cap: null,
            afterEmptyPage: false,
          }),
          value,
        },
  };
}

/** Where the request continues: behind its token, whose options count alone, or at a new beginning. */
function resume(
  request: GraphRequest,
  deps: DeltaDeps,
  { feed, first }: Feed,
  start: string,
): { line: Line<FeedState>; state: FeedState; asked: FirstRequest } {
  const { generations } = request.account;
  const behaviour = deps.behaviour().delta;
  const token = request.query.get('$skiptoken') || request.query.get('$deltatoken');
  if (token) {
    try {
      if (deps.random.chance(behaviour.expiries)) generations.expire(feed);
      const { line, state } = generations.redeem(feed, token);
      return { line, state, asked: UNORDERED };
    } catch (error) {
      if (error instanceof GraphFault && error.status === 410 && behaviour.locationOn410)
        throw new GraphFault(410, error.code, error.message, { location: `${start}?$deltatoken=` });
      throw error;
    }
  }
  const top = request.query.get('$top');
  if (top !== null && behaviour.top === 'reject')
    throw badRequest("The query parameter '$top' is not supported with change tracking.");
  const { select, ...asked } = first();
  const state: FeedState = {
    select,
    changeType: changeTypeOf(request.query.get('changeType')),
    hidden: [...request.query].some(
      ([name, value]) => name.toLowerCase() === 'includehiddenfolders' && value === 'true',
    ),
    cap: top === null ? null : Number(top),
    round: null,
    offset: 0,
    base: -1,
    afterEmptyPage: false,
  };
  return { line: generations.open(feed), state, asked };
}

function changeTypeOf(value: string | null): ChangeType {
  return value === 'created' || value === 'updated' || value === 'deleted' ? value : null;
}

/** The one filter change tracking knows; `gt` is one second later, for times have whole seconds. */
function receivedSince(filter: string | null): number | null {
  if (filter === null) return null;
  const parsed = /^receivedDateTime (ge|gt) (\S+)$/.exec(filter.trim());
  const time = Date.parse(parsed?.[2] ?? '');
  if (!parsed || Number.isNaN(time))
    throw badRequest(
      "The following filter is not supported with change tracking over the 'Message' resource.",
    );
  return parsed[1] === 'gt' ? time + 1_000 : time;
}

/** The one order change tracking knows. */
function isNewestFirst(orderby: string | null): boolean {
  if (orderby === null) return false;
  if (/^receivedDateTime desc$/i.test(orderby.trim())) return true;
  throw badRequest("The following order is not supported with change tracking over the 'Message' resource.");
}
