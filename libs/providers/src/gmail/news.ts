/** What changed since the cursor: history tells labels and removals; messages that came are asked for. */
import type { Change, Page } from '../provider.ts';
import { askFor, askForThreads } from './ask.ts';
import { type AccountCursor, type Pending, withoutPlace } from './cursor.ts';
import { type News, readHistory } from './history.ts';
import { placedOf } from './message.ts';
import type { Open } from './open.ts';

/** A message that is announced may not be there yet; one that still is not after this long is gone, milliseconds. */
const GIVE_UP_MS = 10 * 60_000;
/** It mostly is there after three seconds: asked for again this often, for so long, milliseconds. Then whenever the mailbox is looked at. */
const AGAIN_MS = 5_000;
const AGAIN_FOR_MS = 30_000;

export function isDone({ import: imports, pending, threads }: AccountCursor): boolean {
  return imports === null && pending.length === 0 && threads.length === 0;
}

/** How far the import is. */
export function progressOf({ ledger }: Open, cursor: AccountCursor) {
  const { import: imports } = cursor;
  const done = isDone(cursor);
  if (imports === null) return { done, estimate: null };
  const estimate = Math.max(0, imports.total - imports.told);
  return { done, estimate, remainingMs: ledger.importMs(estimate * ledger.cost('messages.get')) };
}

/** The cursor moves with the first page, which has everything but messages; those still to be asked for are in it. */
export async function* catchUp(open: Open, start: AccountCursor): AsyncGenerator<Page, AccountCursor> {
  const { tuning } = open;
  const news = await readHistory(open.client, start.history, open.signal);
  const first = await withNews(open, start, news);
  let { cursor, changes } = first;
  let moved = news.messages.size > 0;
  let todo = cursor.pending;
  do {
    const some = todo.slice(0, tuning.page);
    todo = todo.slice(tuning.page);
    const {
      changes: told,
      missing,
      left,
      failure,
    } = await askFor(
      open,
      some.map(({ id }) => id),
      'live',
    );
    const over = some.filter(({ id, since }) => missing.includes(id) && tuning.now() - since >= GIVE_UP_MS);
    const unanswered = new Set([...missing, ...left]);
    const settled = new Set([...some.filter(({ id }) => !unanswered.has(id)), ...over]);
    changes = [...changes, ...told, ...(await gone(open, over))];
    cursor = { ...cursor, pending: cursor.pending.filter((one) => !settled.has(one)) };
    const awaited = cursor.pending.some(({ since }) => tuning.now() - since < AGAIN_FOR_MS);
    const again = awaited && todo.length === 0 ? { resumeAfterMs: AGAIN_MS } : null;
    if (moved || changes.length > 0 || again)
      yield { changes, cursor, origin: 'live', ...progressOf(open, cursor), ...again };
    if (failure) throw failure;
    [moved, changes] = [false, []];
  } while (todo.length > 0);
  return cursor;
}

/** The cursor after news, and what they say without asking. */
export async function withNews(open: Open, start: AccountCursor, { messages, history }: News) {
  if (messages.size === 0) return { cursor: start, changes: [] };
  const now = open.tuning.now();
  const known = await open.labels();
  const changes: Change[] = [];
  const pending = new Map<string, Pending>();
  let deleted = false;
  // The newest first.
  for (const [id, outcome] of [...messages].reverse()) {
    if (outcome.kind === 'ask') pending.set(id, { id, since: now });
    deleted ||= outcome.kind === 'gone';
  }
  for (const one of start.pending) if (messages.get(one.id)?.kind !== 'gone') pending.set(one.id, one);
  for (const [id, outcome] of messages) {
    if (pending.has(id) || outcome.kind === 'ask') continue;
    const labels = outcome.kind === 'gone' ? null : outcome.labels;
    changes.push({ kind: 'message', data: placedOf(id, labels, known, 'live') });
  }
  const ids = start.import?.ids.filter(({ id }) => !pending.has(id) && messages.get(id)?.kind !== 'gone');
  const imports = start.import && { ...start.import, ids: ids ?? [] };
  const cursor: AccountCursor = {
    ...start,
    history,
    pending: [...pending.values()],
    import: imports && deleted ? withoutPlace(imports) : imports,
    listed: null,
  };
  return { cursor, changes };
}

/** Threads that changed while nobody could say how. */
export async function* readThreads(open: Open, start: AccountCursor): AsyncGenerator<Page, AccountCursor> {
  const { tuning } = open;
  let cursor = start;
  const size = Math.ceil(tuning.page / 3);
  for (let todo = start.threads; todo.length > 0; todo = todo.slice(size)) {
    const some = todo.slice(0, size);
    const { changes, missing, left, failure } = await askForThreads(open, some, 'reconcile');
    // A thread that was listed may not be there yet, as messages are not.
    const awaited = tuning.now() - cursor.lostAt < AGAIN_FOR_MS ? missing : [];
    const others = cursor.threads.filter((thread) => !some.includes(thread));
    cursor = { ...cursor, threads: [...others, ...left, ...awaited] };
    const again = awaited.length > 0 && todo.length <= size ? { resumeAfterMs: AGAIN_MS } : null;
    yield { changes, cursor, origin: 'reconcile', ...progressOf(open, cursor), ...again };
    if (failure) throw failure;
  }
  return cursor;
}

async function gone(open: Open, messages: readonly Pending[]): Promise<Change[]> {
  if (messages.length === 0) return [];
  const known = await open.labels();
  return messages.map(({ id }): Change => ({ kind: 'message', data: placedOf(id, null, known, 'live') }));
}
