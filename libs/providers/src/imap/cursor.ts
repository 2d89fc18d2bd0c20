/** How far a mailbox was read: the cursor of a mailbox scope, and how each step moves it. Pure. */

/** What a fresh EXAMINE said. Never read later from the library's live mailbox, which moves with every row it sees. */
export interface Snapshot {
  /** UIDVALIDITY. */
  readonly generation: string;
  readonly uidNext: number;
  /** HIGHESTMODSEQ; null where CONDSTORE cannot be used. */
  readonly modseq: bigint | null;
  readonly exists: number;
}

/**
 * Everything the log holds of a mailbox: the copies with `(backfill?.below ?? 1) <= uid < uidNext` of this generation, with their
 * flags and removals as of `modseq`.
 */
export interface MailboxCursor {
  readonly v: 1;
  readonly generation: string;
  readonly uidNext: number;
  /** Flags and removals are known up to here; null where the server cannot say what changed since. */
  readonly modseq: string | null;
  /** How many copies that are; compared with EXISTS to notice removals where no VANISHED tells. */
  readonly count: number;
  /** Messages that EXISTS counts and SEARCH does not find. */
  readonly hidden?: number;
  /** The import goes downwards and stands here; null when it is complete. `again` marks a repeated one. */
  readonly backfill: { readonly below: number; readonly again?: true } | null;
  /** Where flags are found by looking: a digest per window of uids, and when all windows were last looked at (ms). */
  readonly windows?: { readonly digests: Readonly<Record<string, string>>; readonly allAt: number };
  /** Uids whose content the server could not give, to be tried again a day after `at` (ms). */
  readonly broken?: { readonly uids: readonly number[]; readonly at: number };
}

/** A stored cursor, or null when there is none that this version can continue. */
export function readCursor(stored: unknown): MailboxCursor | null {
  return isCursor(stored) ? stored : null;
}

function isCursor(value: unknown): value is MailboxCursor {
  return (
    typeof value === 'object' && value !== null && 'v' in value && value.v === 1 && 'generation' in value
  );
}

/** Nothing is imported yet; what arrives from now on is live. */
export function startImport(snapshot: Snapshot): MailboxCursor {
  return {
    v: 1,
    generation: snapshot.generation,
    uidNext: snapshot.uidNext,
    modseq: digits(snapshot.modseq),
    count: 0,
    backfill: { below: snapshot.uidNext },
  };
}

/** Imports everything once more over what is there: the server holds messages that were not seen when it was their turn. */
export function importAgain(cursor: MailboxCursor): MailboxCursor {
  return { ...cursor, count: 0, backfill: { below: cursor.uidNext, again: true } };
}

/** The lowest uid that the log is responsible for. */
export function lowest(cursor: MailboxCursor): number {
  return cursor.backfill?.below ?? 1;
}

export function digits(modseq: bigint | null): string | null {
  return modseq === null ? null : modseq.toString();
}
