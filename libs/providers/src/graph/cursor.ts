/** How far a folder was read: the cursor of a mailbox scope. Pure. */

/** Counts the versions of what is selected of a message: a link gives for ever what its first request selected. */
const SELECT_VERSION = 1;

export interface MailboxCursor {
  readonly v: 2;
  readonly select: number;
  /** The link to follow, as Graph gave it; null before a first round. */
  readonly link: string | null;
  /** Whether it goes on with a round (`next`), or begins one that tells what changed since the last (`delta`). */
  readonly kind: 'next' | 'delta';
  /** The first round that is under way; null once its deltaLink was reached. */
  readonly round: Round | null;
  /** Messages said to be removed that could not be asked for yet. */
  readonly unverified: readonly string[];
  readonly elsewhere: readonly Elsewhere[];
  /** When changes were told last, milliseconds. */
  readonly changedAt: number;
  /** When all ids are to be compared again, milliseconds. */
  readonly reconcileAt: number;
  /** Digest of the ids as they were compared last; null once anything changed since. */
  readonly listed: string | null;
}

/** A message that was told to be in another folder (elsewhere.ts). */
export interface Elsewhere {
  readonly id: string;
  /** Key of the mailbox it was told to be in. */
  readonly mailbox: string;
  /** When, milliseconds. */
  readonly at: number;
  /** When it is to be asked for again, milliseconds. */
  readonly due: number;
}

interface Round {
  /** Messages told so far, and how many the folder had when it began. */
  readonly told: number;
  readonly total: number;
  /** The newest messages that were told, which the live lane need not tell again. */
  readonly newest: Newest | null;
}

export interface Newest {
  /** Their time of receipt, as Graph spells it. */
  readonly at: string;
  readonly ids: readonly string[];
}

export const FROM_THE_START: MailboxCursor = {
  v: 2,
  select: SELECT_VERSION,
  link: null,
  kind: 'next',
  round: { told: 0, total: 0, newest: null },
  unverified: [],
  elsewhere: [],
  changedAt: 0,
  reconcileAt: 0,
  listed: null,
};

/** Null for none, and for one that other versions of this program made. */
export function readCursor(stored: unknown): MailboxCursor | null {
  return isCursor(stored) ? stored : null;
}

function isCursor(value: unknown): value is MailboxCursor {
  if (typeof value !== 'object' || value === null) return false;
  return 'v' in value && value.v === 2 && 'select' in value && value.select === SELECT_VERSION;
}

const MAX_NEWEST = 50;

/** `newest` with messages that were told now. Times are compared as text: Graph spells all of them alike. */
export function withNewest(
  newest: Newest | null,
  told: readonly { readonly id: string; readonly at: string }[],
): Newest | null {
  const at = [newest?.at ?? '', ...told.map((message) => message.at)].sort().at(-1);
  if (!at) return null;
  const ids = told.filter((message) => message.at === at).map(({ id }) => id);
  const kept = newest?.at === at ? newest.ids : [];
  return { at, ids: [...new Set([...kept, ...ids])].slice(-MAX_NEWEST) };
}

/** Of more than these the newest; the comparison of ids finds what became of the others. */
const MAX_ELSEWHERE = 100;

export function withElsewhere(
  before: readonly Elsewhere[],
  told: readonly Elsewhere[],
): readonly Elsewhere[] {
  const again = new Set(told.map(({ id }) => id));
  return [...before.filter(({ id }) => !again.has(id)), ...told].slice(-MAX_ELSEWHERE);
}
