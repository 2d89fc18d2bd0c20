/** The pull of one folder: its first round as the import, then what its change feed tells, and now and then a comparison of all ids. */
import type { Page, PullRequest } from '../provider.ts';
import { ProviderError } from '../provider.ts';
import { followChanges } from './changes.ts';
import { FROM_THE_START, readCursor } from './cursor.ts';
import { CURSOR_EXPIRED } from './errors.ts';
import { importRound, newMessages } from './first-round.ts';
import type { Open } from './open.ts';
import { isDue, reconcile } from './reconcile.ts';

/** Says that there is an import to be done. */
const START_OVER: Page = {
  changes: [],
  cursor: FROM_THE_START,
  origin: 'reconcile',
  done: false,
  estimate: null,
};

export async function* pullMailbox(open: Open, { cursor, missing, lane }: PullRequest): AsyncGenerator<Page> {
  // One by one would be dearer than the feed, which tells them in pages.
  const stored = missing ? null : readCursor(cursor);
  try {
    if (stored !== null && stored.round === null) {
      const caughtUp = yield* followChanges(open, stored);
      if (isDue(caughtUp, open.tuning)) yield* reconcile(open, caughtUp);
    } else if (lane === 'backfill') {
      const imported = yield* importRound(open, stored ?? FROM_THE_START);
      if (imported.round === null) yield* followChanges(open, imported);
    } else if (stored === null) yield START_OVER;
    else yield* newMessages(open, stored);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== CURSOR_EXPIRED) throw error;
    yield START_OVER;
  }
}
