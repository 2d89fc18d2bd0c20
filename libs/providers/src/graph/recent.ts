/** What changed last in each folder: flags and categories move no counter of a folder, and a notification does not name one. */

import { textOf } from '../json.ts';
import { ProviderError } from '../provider.ts';
import type { GraphClient } from './client.ts';
import { entriesOf } from './feed.ts';

/** By folder id: the time of its last change as Graph spells it, and how many messages bear it. */
export type Recent = Readonly<Record<string, string>>;

/** Messages looked at. Of a folder that none of them is in, `before` is kept. */
const NEWEST = 50;
const WHERE = `/messages?$select=parentFolderId,lastModifiedDateTime&$orderby=lastModifiedDateTime%20desc&$top=${NEWEST}`;

/** One request for the whole mailbox. */
export async function readRecent(client: GraphClient, before: Recent, signal: AbortSignal): Promise<Recent> {
  const times = new Map<string, string[]>();
  for (const { entity } of entriesOf(await list(client, signal))) {
    const [folder, time] = [textOf(entity, 'parentFolderId'), textOf(entity, 'lastModifiedDateTime')];
    if (folder === null || time === null) continue;
    const newest = times.get(folder) ?? [];
    if (newest.length === 0 || newest[0] === time) times.set(folder, [...newest, time]);
  }
  const found = [...times].map(([folder, [time, ...more]]) => [folder, `${time}+${more.length}`]);
  return { ...before, ...Object.fromEntries(found) };
}

/** That lists can be ordered so is not documented for every kind of mailbox: where they cannot, polls find what counters do not tell. */
async function list(client: GraphClient, signal: AbortSignal): Promise<unknown> {
  try {
    return await client.get(WHERE, signal);
  } catch (error) {
    if (error instanceof ProviderError && error.code === 'graph.refused') return { value: [] };
    throw error;
  }
}
