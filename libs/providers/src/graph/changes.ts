/** What a folder's change feed tells after its first round. */
import type { Page } from '../provider.ts';
import { type MailboxCursor, withElsewhere } from './cursor.ts';
import { lookAgain } from './elsewhere.ts';
import { tell } from './entries.ts';
import { feedPage } from './feed.ts';
import type { Open } from './open.ts';

/**
 * To the present end of the feed: a round that an earlier pull began says nothing of what happened since, so another follows it. Each page
 * moves the cursor, also when nothing changed: the server forgets all links but the last few.
 */
export async function* followChanges(open: Open, start: MailboxCursor): AsyncGenerator<Page, MailboxCursor> {
  const { client, signal, tuning } = open;
  let cursor = start;
  let old = start.kind === 'next';
  for (;;) {
    const { entries, nextLink, deltaLink } = feedPage(
      await client.get(cursor.link ?? '', signal, tuning.page),
    );
    const told = await tell(open, entries, cursor.unverified, 'live');
    const { changes, failure } = told;
    const ends = deltaLink !== null && !old;
    cursor = {
      ...cursor,
      link: deltaLink ?? nextLink,
      kind: deltaLink === null ? 'next' : 'delta',
      unverified: told.unverified,
      elsewhere: withElsewhere(cursor.elsewhere, told.elsewhere),
      ...(changes.length > 0 ? { changedAt: tuning.now(), listed: null } : {}),
    };
    yield { changes, cursor, origin: 'live', done: ends, estimate: null };
    if (failure) throw failure;
    if (ends) break;
    if (deltaLink !== null) old = false;
  }
  const again = await lookAgain(open, cursor);
  if (again === null) return cursor;
  yield { ...again, origin: 'live', done: true, estimate: null };
  return again.cursor;
}
