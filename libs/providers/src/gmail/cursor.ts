/** How far a mailbox was read: the one cursor of an account. Pure. */

/** Lists and history are of one mind about what is older than this, milliseconds. */
export const SETTLED_MS = 5 * 60_000;

export interface AccountCursor {
  readonly v: 1;
  /** Everything up to this history id was told, or is in one of the lists below. Decimal digits, 64 bits. */
  readonly history: string;
  /** Messages still to be asked for, and since when, milliseconds. */
  readonly pending: readonly Pending[];
  /** Threads to be read anew, because their history was lost. */
  readonly threads: readonly string[];
  /** The import that is under way. */
  readonly import: Import | null;
  /** When history was lost last, milliseconds. */
  readonly lostAt: number;
  /** When all ids are to be compared, milliseconds. */
  readonly reconcileAt: number;
  /** Digest of the ids as they were compared last; null once anything changed since. */
  readonly listed: string | null;
}

export interface Pending {
  readonly id: string;
  readonly since: number;
}

/** Goes through the list of all messages, the newest first. */
export interface Import {
  /** Of the next page of the list; null: it is to be found by what was told last. */
  readonly token: string | null;
  /** Ids of the last page that are still to be asked for. */
  readonly ids: readonly Listed[];
  /** The last ids of each of the last pages, in the order of the list. */
  readonly ends: readonly (readonly string[])[];
  /** Whether the list has no more pages. */
  readonly ended: boolean;
  /** Messages told so far, and how many there were when it began. */
  readonly told: number;
  readonly total: number;
}

/** A message of a list. */
export interface Listed {
  readonly id: string;
  readonly thread: string;
}

export function fromTheStart(history: string, total: number): AccountCursor {
  return {
    v: 1,
    history,
    pending: [],
    threads: [],
    import: { token: null, ids: [], ends: [], ended: false, told: 0, total },
    lostAt: 0,
    reconcileAt: 0,
    listed: null,
  };
}

/** Null for none, and for one that other versions of this program made. */
export function readCursor(stored: unknown): AccountCursor | null {
  return isCursor(stored) ? stored : null;
}

function isCursor(value: unknown): value is AccountCursor {
  return typeof value === 'object' && value !== null && 'v' in value && value.v === 1 && 'history' in value;
}

const PAGES = 3;
const TAIL = 20;

/** The import after another page of the list. What it repeats of the pages before, because new mail moved the list, is left out. */
export function withPage(before: Import, page: readonly Listed[], token: string | null): Import {
  const told = new Set(before.ends.flat());
  const ids = page.filter(({ id }) => !told.has(id));
  const end = page.slice(-TAIL).map(({ id }) => id);
  const ends = end.length === 0 ? before.ends : [...before.ends, end].slice(-PAGES);
  return { ...before, token, ids: [...before.ids, ...ids], ends, ended: token === null };
}

/** Has messages imported that were told before, as they say, and are not there. */
export function withMissing(cursor: AccountCursor, missing: readonly string[]): AccountCursor {
  const before = cursor.import ?? { ...NO_LIST, total: missing.length };
  const ids = missing.map((id) => ({ id, thread: id }));
  return { ...cursor, import: { ...before, ids: [...ids, ...before.ids] }, listed: null };
}

const NO_LIST = { token: null, ids: [], ends: [], ended: true, told: 0 };

/**
 * Something was deleted, so that positions in the list have moved and some messages may have been passed over: back to where the page before the
 * last ended, because a deletion may be told a while after it was done.
 */
export function withoutPlace(before: Import): Import {
  if (before.ends.length === 0) return before;
  return { ...before, token: null, ended: false, ends: before.ends.slice(0, -2) };
}
