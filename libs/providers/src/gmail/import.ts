/** The import: the list of all messages from the newest on, each asked for as the allowance permits. */
import { type Change, type Page, ProviderError } from '../provider.ts';
import { askForListed } from './ask.ts';
import { type AccountCursor, type Import, SETTLED_MS, withPage } from './cursor.ts';
import { type ListPage, listMessages } from './lists.ts';
import { progressOf } from './news.ts';
import type { Open } from './open.ts';

/** Messages that a job is worth: waiting for more wastes what may be spent meanwhile. */
const WORTHWHILE = 10;

/**
 * Goes on for one job, or until what imports may spend is spent. Where the list was left is in the cursor, with the ids of its last page that are
 * still to be asked for.
 */
export async function* importMessages(open: Open, start: AccountCursor): AsyncGenerator<Page, AccountCursor> {
  const { tuning } = open;
  let cursor = start;
  for (let given = 0; given < tuning.job && cursor.import !== null; ) {
    const size = affordable(open);
    if (size === 0) {
      yield importPage(open, cursor, []);
      return cursor;
    }
    let at: Import = cursor.import;
    while (at.ids.length === 0 && !at.ended) at = await nextPage(open, at);
    const some = at.ids.slice(0, size);
    const { changes, missing, left, failure } = await askForListed(open, some);
    const again = some.filter(({ id }) => left.includes(id));
    const since = tuning.now();
    const ids = [...again, ...at.ids.slice(some.length)];
    const over = ids.length === 0 && at.ended;
    cursor = {
      ...cursor,
      pending: [...cursor.pending, ...missing.map((id) => ({ id, since }))],
      import: over ? null : { ...at, ids, told: at.told + changes.length },
      reconcileAt: since + SETTLED_MS,
    };
    yield importPage(open, cursor, changes);
    if (failure) throw failure;
    if (affordable(open) === 0) return cursor;
    given += Math.max(1, some.length);
  }
  return cursor;
}

function importPage(open: Open, cursor: AccountCursor, changes: readonly Change[]): Page {
  const { ledger, account } = open;
  const page = { changes, cursor, origin: 'backfill' as const, ...progressOf(open, cursor) };
  if (cursor.import === null || affordable(open) > 0) return page;
  return { ...page, resumeAfterMs: ledger.importWaitMs(account, WORTHWHILE * ledger.cost('messages.get')) };
}

/** How many messages may be asked for now. */
function affordable({ tuning, ledger, account }: Open): number {
  const most = Math.floor(ledger.forImport(account) / ledger.cost('messages.get'));
  return Math.max(0, Math.min(most, tuning.page));
}

async function nextPage(open: Open, at: Import): Promise<Import> {
  if (at.token === null && at.ends.length > 0) return findPlace(open, at);
  const page = await listMessages(open, open.tuning.list, at.token).catch(
    (error: unknown): ListPage | null => {
      // How long tokens live is not known.
      if (at.token !== null && error instanceof ProviderError && error.failure === 'permanent') return null;
      throw error;
    },
  );
  return page ? withPage(at, page.listed, page.token) : findPlace(open, at);
}

/** The first page after the last message that was told and still is there; from the top when none is. */
async function findPlace(open: Open, at: Import): Promise<Import> {
  const told = new Set(at.ends.flat());
  for (let token: string | null = null, first = true; first || token !== null; first = false) {
    const page: ListPage = await listMessages(open, open.tuning.list, token);
    const place = page.listed.findLastIndex(({ id }) => told.has(id));
    if (place >= 0) return withPage(at, page.listed.slice(place + 1), page.token);
    token = page.token;
  }
  const page = await listMessages(open, open.tuning.list, null);
  return withPage({ ...at, ends: [] }, page.listed, page.token);
}
