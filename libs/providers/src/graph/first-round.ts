/** The first round of a folder's change feed, which is its import; and what is new while it goes on. */

import { countOf, textOf } from '../json.ts';
import type { Change, Page } from '../provider.ts';
import { type MailboxCursor, withElsewhere, withNewest } from './cursor.ts';
import { tell } from './entries.ts';
import { entriesOf, type FeedEntry, feedPage } from './feed.ts';
import { SELECT, upsertOf } from './normalize.ts';
import type { Open } from './open.ts';

/** Goes on with the round, the newest messages first. What was told before it began and is not there any more is found by the next comparison. */
export async function* importRound(open: Open, start: MailboxCursor): AsyncGenerator<Page, MailboxCursor> {
  const { client, folder, tuning, signal } = open;
  let cursor = start;
  for (let given = 0; given < tuning.job && cursor.round !== null; ) {
    const { round } = cursor;
    const total = cursor.link === null ? await countMessages(open) : round.total;
    const first = `/mailFolders/${folder}/messages/delta?$select=${SELECT}&$orderby=receivedDateTime%20desc`;
    const { entries, nextLink, deltaLink } = feedPage(
      await client.get(cursor.link ?? first, signal, tuning.page),
    );
    const told = await tell(open, entries, cursor.unverified, 'backfill');
    const { changes, failure } = told;
    const count = round.told + changes.length;
    cursor = {
      ...cursor,
      link: deltaLink ?? nextLink,
      kind: deltaLink === null ? 'next' : 'delta',
      changedAt: tuning.now(),
      reconcileAt: tuning.now(),
      round:
        deltaLink === null
          ? { told: count, total, newest: withNewest(round.newest, timesOf(entries)) }
          : null,
      unverified: told.unverified,
      elsewhere: withElsewhere(cursor.elsewhere, told.elsewhere),
    };
    yield { changes, cursor, origin: 'backfill', done: false, estimate: Math.max(0, total - count) };
    if (failure) throw failure;
    given += Math.max(1, entries.length);
  }
  return cursor;
}

/**
 * The live lane while the round is under way: a plain list of the newest messages. A hint only, which the feed tells again; so one page of it
 * is enough, and nothing rests on it.
 */
export async function* newMessages(open: Open, stored: MailboxCursor): AsyncGenerator<Page> {
  const { client, folder, mailbox, tuning, signal } = open;
  const { round } = stored;
  // Before the first page there is nothing to be newer than, and the first page has the newest.
  if (!round?.newest) return;
  const { at, ids } = round.newest;
  const entries = entriesOf(
    await client.get(
      `/mailFolders/${folder}/messages?$select=${SELECT}&$orderby=receivedDateTime%20desc&$top=${tuning.page}&$filter=receivedDateTime%20ge%20${at}`,
      signal,
    ),
  );
  const fresh = entries.filter(({ id }) => !ids.includes(id));
  if (fresh.length === 0) return;
  const changes = fresh.map(
    ({ id, entity }): Change => ({ kind: 'message', data: upsertOf(mailbox, id, entity, 'live') }),
  );
  const newest = withNewest(round.newest, timesOf(fresh));
  const estimate = Math.max(0, round.total - round.told);
  yield {
    changes,
    cursor: { ...stored, round: { ...round, newest } },
    origin: 'live',
    done: false,
    estimate,
  };
}

function timesOf(entries: readonly FeedEntry[]) {
  return entries.map(({ id, entity }) => ({ id, at: textOf(entity, 'receivedDateTime') ?? '' }));
}

async function countMessages({ client, folder, signal }: Open): Promise<number> {
  return (
    countOf(await client.get(`/mailFolders/${folder}?$select=totalItemCount`, signal), 'totalItemCount') ?? 0
  );
}
