/** The pull of all mail: what is new, then the import, and now and then a comparison of all ids. */
import { type Page, ProviderError, type PullRequest } from '../provider.ts';
import { type AccountCursor, readCursor, withMissing } from './cursor.ts';
import { HISTORY_LOST } from './errors.ts';
import { importMessages } from './import.ts';
import { catchUp, progressOf, readThreads } from './news.ts';
import type { Open } from './open.ts';
import { beginning, isDue, reconcile, recover } from './recover.ts';

export async function* pullMail(open: Open, { cursor, missing, lane }: PullRequest): AsyncGenerator<Page> {
  const known = readCursor(cursor);
  const stored = known && missing ? withMissing(known, missing) : known;
  if (stored === null && lane === 'live') {
    // From now on what comes is new; what is there already is imported.
    const start = await beginning(open);
    yield { changes: [], cursor: start, origin: 'backfill', ...progressOf(open, start) };
    return;
  }
  let at = stored === null ? await beginning(open) : yield* lookForNews(open, stored);
  if (at.import !== null && lane === 'backfill') {
    at = yield* importMessages(open, at);
    if (at.import === null) at = yield* lookForNews(open, at);
  }
  if (isDue(at, open.tuning.now())) yield* reconcile(open, at);
}

async function* lookForNews(open: Open, start: AccountCursor): AsyncGenerator<Page, AccountCursor> {
  let at = start;
  try {
    at = yield* catchUp(open, start);
  } catch (error) {
    if (!(error instanceof ProviderError) || error.code !== HISTORY_LOST) throw error;
    at = yield* recover(open, start);
  }
  return yield* readThreads(open, at);
}
