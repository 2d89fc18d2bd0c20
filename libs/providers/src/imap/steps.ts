/** What a pull of one mailbox is made of: steps that each read something and move the cursor. */
import type { Change } from '../provider.ts';
import type { Connection, Examined } from './connection.ts';
import type { MailboxCursor } from './cursor.ts';
import type { Quirks } from './quirks.ts';

const MAX_BROKEN = 100;

/** Sizes and the clock; tests make them small. */
export interface Tuning {
  /** Messages per page: one FETCH, one atomic batch. */
  readonly page: number;
  /** Messages that one job imports, about, before others get their turn. */
  readonly job: number;
  /** Uids per window of flags, where flags are found by looking. */
  readonly window: number;
  readonly now: () => number;
  /** In place of what the host's name says. */
  readonly quirks?: Partial<Quirks>;
}

/** The mailbox as the pull found it. */
export interface Open {
  readonly connection: Connection;
  readonly mailbox: string;
  readonly snapshot: Examined;
  readonly tuning: Tuning;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Some changes, and the cursor that is true once they and all before them are stored. */
export interface Step {
  readonly changes: readonly Change[];
  readonly cursor: MailboxCursor;
}

/** Yields what is to be stored and returns where the cursor stands then. */
export type Steps<Result = MailboxCursor> = AsyncGenerator<Step, Result>;

/** Remembers messages whose content could not be had. */
export function withBroken(open: Open, cursor: MailboxCursor, found: readonly number[]): MailboxCursor {
  if (found.length === 0) return cursor;
  const uids = [...new Set([...(cursor.broken?.uids ?? []), ...found])].slice(-MAX_BROKEN);
  return { ...cursor, broken: { uids, at: cursor.broken?.at ?? open.now } };
}
