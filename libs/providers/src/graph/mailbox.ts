/** The pull of one folder: its first round as the import, then what its change feed tells, and now and then a comparison of all ids. */
import type { Page, PullRequest } from '../provider.ts';
import { ProviderError } from '../provider.ts';
import { FROM_THE_START, type MailboxCursor, readCursor } from './cursor.ts';
import { tell } from './entries.ts';
import { CURSOR_EXPIRED } from './errors.ts';
import { feedPage } from './feed.ts';
import { importRound, newMessages } from './first-round.ts';
import type { Open } from './open.ts';
import { reconcile } from './reconcile.ts';

export async function* pullMailbox(open: Open, { cursor, lane }: PullRequest): AsyncGenerator<Page> {
  const stored = readCursor(cursor);
  try {
    if (stored !== null && stored.round === null) {
      const { tuning } = open;
      const caughtUp = yield* followChanges(open, stored);
      if (tuning.now() >= caughtUp.reconcileAt) yield* reconcile(open, caughtUp);
    } else if (lane === 'backfill') yield* importRound(open, stored ?? FROM_THE_START);
    else if (stored !== null) yield* newMessages(open, stored);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== CURSOR_EXPIRED) throw error;
    yield { changes: [], cursor: FROM_THE_START, origin: 'reconcile', done: false, estimate: null };
  }
}

/** To the end of the round. Each page is a cursor, also when nothing changed: the server forgets the link before the last few. */
async function* followChanges(open: Open, stored: MailboxCursor): AsyncGenerator<Page, MailboxCursor> {
  let cursor = stored;
  for (;;) {
    const { entries, nextLink, deltaLink } = feedPage(
      await open.client.get(cursor.link ?? '', open.signal, open.tuning.page),
    );
    const { changes, unverified, failure } = await tell(open, entries, cursor.unverified, 'live');
    const listed = changes.length > 0 ? null : cursor.listed;
    cursor = { ...cursor, link: deltaLink ?? nextLink, unverified, listed };
    yield { changes, cursor, origin: 'live', done: deltaLink !== null, estimate: null };
    if (failure) throw failure;
    if (deltaLink !== null) return cursor;
  }
}
