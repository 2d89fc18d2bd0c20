/** Compares all ids of a folder with what was told of it: the feed is known to lose messages. */
import { hashToken, type ListedIds } from '@mailstream/contracts';
import type { Change, Page } from '../provider.ts';
import type { MailboxCursor } from './cursor.ts';
import { tell } from './entries.ts';
import { entriesOf, feedPage } from './feed.ts';
import { textOf } from './json.ts';
import type { Open } from './open.ts';

/** Ids per fact, of about 150 characters each. */
const MAX_IDS = 1_000;
/** What came later than this may be in a list and not yet in the feed, milliseconds. */
const UNSETTLED_MS = 15 * 60_000;
/** More than these are waited for: each splits a fact. */
const MAX_UNSETTLED = 200;

/** One page: the list of all ids as facts, then what the feed told meanwhile. */
export async function* reconcile(open: Open, start: MailboxCursor): AsyncGenerator<Page> {
  const { mailbox, tuning } = open;
  const listed = await listIds(open);
  const { changes, cursor } = await changesSince(open, start);
  const now = tuning.now();
  const unsettled = new Set([...listed].filter(([, at]) => now - at < UNSETTLED_MS).map(([id]) => id));
  const settled = unsettled.size <= MAX_UNSETTLED;
  for (const { kind, data } of changes) {
    if (kind !== 'message' || data.copy.mailbox !== mailbox) continue;
    if (data.op === 'removed') listed.delete(data.copy.id);
    else unsettled.add(data.copy.id);
  }
  const ids = [...listed.keys()].sort();
  const digest = hashToken(...ids);
  // The same list as last time, when all of it was judged, and nothing told since: nothing to compare.
  const known = changes.length === 0 && digest === start.listed;
  const facts = known || !settled ? [] : listedFacts(mailbox, ids, unsettled);
  yield {
    changes: [...facts.map((data): Change => ({ kind: 'listed', data })), ...changes],
    cursor: {
      ...cursor,
      reconcileAt: now + (settled ? tuning.reconcileMs * (0.9 + Math.random() / 5) : UNSETTLED_MS),
      listed: unsettled.size === 0 ? digest : null,
    },
    origin: 'reconcile',
    done: true,
    estimate: null,
  };
}

/** When each message was last changed, by id. Positions in a list move while it is read: of a long one only what two passes miss is not there. */
async function listIds(open: Open): Promise<Map<string, number>> {
  const listed = new Map<string, number>();
  const pages = await readList(open, listed);
  if (pages > 1) await readList(open, listed);
  return listed;
}

async function readList(
  { client, folder, tuning, signal }: Open,
  into: Map<string, number>,
): Promise<number> {
  let link: string | null =
    `/mailFolders/${folder}/messages?$select=id,lastModifiedDateTime&$orderby=receivedDateTime%20desc&$top=${tuning.list}`;
  let pages = 0;
  for (; link !== null; pages += 1) {
    const body: unknown = await client.get(link, signal);
    for (const { id, entity } of entriesOf(body))
      into.set(id, Date.parse(textOf(entity, 'lastModifiedDateTime') ?? '') || 0);
    link = textOf(body, '@odata.nextLink');
  }
  return pages;
}

/** What the feed tells up to its present end. What could not be verified fails the comparison: the next pull goes on from there. */
async function changesSince(open: Open, start: MailboxCursor) {
  const changes: Change[] = [];
  let cursor = start;
  for (;;) {
    const { entries, nextLink, deltaLink } = feedPage(
      await open.client.get(cursor.link ?? '', open.signal, open.tuning.page),
    );
    const told = await tell(open, entries, cursor.unverified, 'live');
    if (told.failure) throw told.failure;
    changes.push(...told.changes);
    cursor = { ...cursor, link: deltaLink ?? nextLink, unverified: [] };
    if (deltaLink !== null) return { changes, cursor };
  }
}

/** Together they say that no other than these ids exist, and of all but the unsettled ones that they must be known. `ids` are sorted. */
export function listedFacts(
  mailbox: string,
  ids: readonly string[],
  unsettled: ReadonlySet<string>,
): ListedIds[] {
  const facts: ListedIds[] = [];
  let from = '';
  let named: string[] = [];
  const close = (to: string | null, next: string) => {
    facts.push({ mailbox, generation: '1', from, to, ids: named, sweep: false, origin: 'reconcile' });
    from = next;
    named = [];
  };
  for (const id of ids) {
    // No character of an id comes before the exclamation mark: nothing lies between the two.
    if (unsettled.has(id)) close(id, `${id}!`);
    else {
      if (named.length === MAX_IDS) close(id, id);
      named.push(id);
    }
  }
  close(null, '');
  return facts;
}
