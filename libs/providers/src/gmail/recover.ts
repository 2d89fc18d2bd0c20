/** What can be done when Gmail no longer knows the history since the cursor, and the comparison that finds whatever else was missed. */
import { hashToken } from '@mailstream/contracts';
import { countOf, textOf } from '../json.ts';
import { listedFacts } from '../listed-facts.ts';
import { type Change, type Page, ProviderError } from '../provider.ts';
import { type AccountCursor, fromTheStart, SETTLED_MS } from './cursor.ts';
import { HISTORY_LOST } from './errors.ts';
import { readHistory } from './history.ts';
import { ALL_MAIL } from './labels.ts';
import { changedThreads, listAll } from './lists.ts';
import { isDone, progressOf, withNews } from './news.ts';
import type { Open } from './open.ts';

/** History that is lost twice within this is lost for another reason than age, milliseconds. */
const GUARD_MS = 60_000;
/** The newest messages of a list may not be in history yet. */
const UNSETTLED = 10;

/** The history id first: what changes while the rest is read is told from there. */
export async function beginning({ client, signal }: Open): Promise<AccountCursor> {
  const profile = await client.get('getProfile', '/profile', {}, signal);
  const history = textOf(profile, 'historyId');
  if (history === null || !/^\d{1,20}$/.test(history))
    throw new ProviderError('parse', 'gmail.protocol', 'Gmail described a mailbox without a history id.');
  return fromTheStart(history, countOf(profile, 'messagesTotal') ?? 0);
}

/** Threads bear the id of their last change: those that changed since the cursor are read anew, the others are as they were. */
export async function* recover(open: Open, lost: AccountCursor): AsyncGenerator<Page, AccountCursor> {
  const now = open.tuning.now();
  if (now - lost.lostAt < GUARD_MS)
    throw new ProviderError(
      'conflict',
      HISTORY_LOST,
      'Gmail forgets the history of this mailbox again and again; it is compared again in a minute.',
      { retryAfterMs: lost.lostAt + GUARD_MS - now },
    );
  const { history } = await beginning(open);
  const changed = await changedThreads(open, lost.history);
  const cursor: AccountCursor = {
    ...lost,
    history,
    threads: [...new Set([...lost.threads, ...changed])],
    lostAt: now,
    // What was deleted meanwhile only the list of all ids can tell.
    reconcileAt: now + SETTLED_MS,
    listed: null,
  };
  yield { changes: [], cursor, origin: 'reconcile', ...progressOf(open, cursor) };
  return cursor;
}

export function isDue(cursor: AccountCursor, now: number): boolean {
  return isDone(cursor) && now >= cursor.reconcileAt;
}

/** One page: all ids as facts, after what history told while they were listed. */
export async function* reconcile(open: Open, start: AccountCursor): AsyncGenerator<Page> {
  const { tuning, client, signal } = open;
  const listed = await listAll(open);
  const newest = [...listed].slice(0, UNSETTLED);
  const news = await readHistory(client, start.history, signal);
  const { cursor, changes } = await withNews(open, start, news);
  for (const [id, { kind }] of news.messages) if (kind === 'gone') listed.delete(id);
  // Some may have come after they were listed.
  for (const { id } of cursor.pending) listed.add(id);
  const unsettled = new Set([...newest, ...cursor.pending.map(({ id }) => id)]);
  const ids = [...listed].sort();
  const digest = hashToken(...ids);
  // The same list as last time, and nothing told since: nothing to compare.
  const known = changes.length === 0 && digest === start.listed;
  const facts = known ? [] : listedFacts(ALL_MAIL, ids, unsettled, { everywhere: true });
  yield {
    changes: [...facts.map((data): Change => ({ kind: 'listed', data })), ...changes],
    cursor: {
      ...cursor,
      // A quiet mailbox's cursor must not grow old.
      history: news.history,
      reconcileAt: tuning.now() + tuning.reconcileMs * (0.9 + Math.random() / 5),
      listed: digest,
    },
    origin: 'reconcile',
    ...progressOf(open, cursor),
  };
}
