/** The pull of the list of folders, with the counters of each and the time of its last change. */

import { textOf } from '../json.ts';
import type { Change, Page, PullRequest } from '../provider.ts';
import type { GraphClient } from './client.ts';
import { entriesOf, feedPage, idOf } from './feed.ts';
import {
  ALIASES,
  type Folder,
  type FoldersCursor,
  folderOf,
  followFolders,
  readFoldersCursor,
} from './folders.ts';
import type { Tuning } from './open.ts';
import { readRecent } from './recent.ts';

/** No limit is documented for lists of folders; this many are known to be given. */
const MAX_TOP = 250;

/**
 * Each look reads the folders' change feed from its beginning: one request mostly, with nested and hidden folders and all counters, which its
 * later rounds do not promise. So nothing has to be stored when nothing changed, and no link can expire.
 */
export async function* pullMailboxes(
  client: GraphClient,
  { cursor, signal }: PullRequest,
  tuning: Tuning,
): AsyncGenerator<Page> {
  const memory = readFoldersCursor(cursor);
  const folders = new Map<string, Folder>();
  const keep = (found: readonly Folder[]) => {
    for (const folder of found) folders.set(folder.id, folder);
  };
  keep(await readFeed(client, signal, tuning));
  // That the feed has the whole tree is not documented.
  const walks = tuning.now() >= memory.walkAt;
  if (walks) keep(await walkTree(client, '', signal, tuning));
  const unlisted = Object.keys(memory.folders).filter((id) => !folders.has(id));
  keep(await stillThere(client, unlisted, signal));

  const all = [...folders.values()];
  const isNew = all.some(({ id }) => memory.folders[id] === undefined);
  const recent = await readRecent(client, memory.recent, signal);
  const aliases = isNew ? await withMissing(client, memory, signal) : memory.aliases;
  const walkAt = walks ? tuning.now() + tuning.reconcileMs : memory.walkAt;
  const origin = cursor === null ? 'backfill' : 'live';
  const followed = followFolders(memory, all, { aliases, walkAt, recent }, origin);
  if (followed.changes.length === 0 && !walks) return;
  const changes = followed.changes.map((data): Change => ({ kind: 'mailbox', data }));
  yield { changes, cursor: followed.cursor, origin, done: true, estimate: null };
}

async function readFeed(client: GraphClient, signal: AbortSignal, tuning: Tuning): Promise<Folder[]> {
  const folders: Folder[] = [];
  let link: string | null = '/mailFolders/delta?includeHiddenFolders=true';
  while (link !== null) {
    const { entries, nextLink } = feedPage(await client.get(link, signal, tuning.list));
    for (const { id, entity, removed } of entries) if (!removed) folders.push(folderOf(id, entity));
    link = nextLink;
  }
  return folders;
}

/** The folders below `parent` (the root when empty), level by level. */
async function walkTree(
  client: GraphClient,
  parent: string,
  signal: AbortSignal,
  tuning: Tuning,
): Promise<Folder[]> {
  const found: Folder[] = [];
  const below = parent === '' ? '/mailFolders' : `/mailFolders/${parent}/childFolders`;
  const top = Math.min(tuning.list, MAX_TOP);
  let link: string | null = `${below}?includeHiddenFolders=true&$top=${top}`;
  while (link !== null) {
    const body: unknown = await client.get(link, signal);
    for (const { id, entity } of entriesOf(body)) found.push(folderOf(id, entity));
    link = textOf(body, '@odata.nextLink');
  }
  const nested: Folder[] = [];
  for (const { id, children } of found)
    if (children > 0) nested.push(...(await walkTree(client, id, signal, tuning)));
  return [...found, ...nested];
}

/** A list may be cut short: nothing is removed that still answers. */
async function stillThere(
  client: GraphClient,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<Folder[]> {
  const folders: Folder[] = [];
  for (const got of await client.getEach(
    ids.map((id) => `/mailFolders/${id}`),
    signal,
  )) {
    if ('body' in got) folders.push(folderOf(idOf(got.body), got.body));
    else if (got.error.failure !== 'gone') throw got.error;
  }
  return folders;
}

async function withMissing(client: GraphClient, { aliases }: FoldersCursor, signal: AbortSignal) {
  const missing = ALIASES.filter((alias) => aliases[alias] === undefined);
  return { ...aliases, ...Object.fromEntries(await idsOfAliases(client, missing, signal)) };
}

/** Ids of folders by their well-known names; those that were never made are left out. */
export async function idsOfAliases(
  client: GraphClient,
  aliases: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  const got = await client.getEach(
    aliases.map((alias) => `/mailFolders/${alias}?$select=id`),
    signal,
  );
  for (const [at, alias] of aliases.entries()) {
    const one = got[at];
    if (one && 'body' in one) ids.set(alias, idOf(one.body));
    else if (one && one.error.failure !== 'gone') throw one.error;
  }
  return ids;
}
