/** Compares all ids of a folder with what was told of it: the feed is known to lose messages. */
import { hashToken } from '@mailstream/contracts';
import { textOf } from '../json.ts';
import { listedFacts } from '../listed-facts.ts';
import type { Change, Page } from '../provider.ts';
import { followChanges } from './changes.ts';
import type { MailboxCursor } from './cursor.ts';
import { entriesOf } from './feed.ts';
import type { Open, Tuning } from './open.ts';

/** Lists and feeds are of one mind about what is older than so many settle times. */
const SETTLES = 5;

/** Once the folder is quiet: what the feed has told by now the list must not miss. Where it never is, a day later anyway. */
export function isDue(
  { reconcileAt, changedAt }: MailboxCursor,
  { now, reconcileMs, settleMs }: Tuning,
): boolean {
  const [late, quiet] = [now() - reconcileAt, now() - changedAt];
  return late >= 0 && (quiet >= SETTLES * settleMs || late >= reconcileMs);
}

/** One page: the list of all ids as facts, then what the feed told meanwhile. */
export async function* reconcile(open: Open, start: MailboxCursor): AsyncGenerator<Page> {
  const { mailbox, tuning } = open;
  const listed = await listIds(open);
  const { changes, cursor } = await changesSince(open, start);
  const now = tuning.now();
  for (const { kind, data } of changes) {
    if (kind !== 'message' || data.op === 'placed' || data.copy.mailbox !== mailbox) continue;
    if (data.op === 'removed') listed.delete(data.copy.id);
    else listed.set(data.copy.id, now);
  }
  const settled = now - SETTLES * tuning.settleMs;
  const unsettled = new Set([...listed].filter(([, at]) => at > settled).map(([id]) => id));
  const ids = [...listed.keys()].sort();
  const digest = hashToken(...ids);
  // The same list as last time, when all of it was judged, and nothing told since: nothing to compare.
  const known = changes.length === 0 && digest === start.listed;
  const facts = known ? [] : listedFacts(mailbox, ids, unsettled);
  yield {
    changes: [...facts.map((data): Change => ({ kind: 'listed', data })), ...changes],
    cursor: {
      ...cursor,
      reconcileAt: now + tuning.reconcileMs * (0.9 + Math.random() / 5),
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
  const pages = followChanges(open, start);
  for (;;) {
    const { done, value } = await pages.next();
    if (done) return { changes, cursor: value };
    changes.push(...value.changes);
  }
}
