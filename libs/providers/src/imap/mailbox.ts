/** The pull of one mailbox: what is new first, then, in the backfill lane, the next part of the import. */
import type { Change, Page, PullRequest } from '../provider.ts';
import { importOlder } from './backfill.ts';
import { catchUp } from './catch-up.ts';
import type { Connection } from './connection.ts';
import { type MailboxCursor, readCursor } from './cursor.ts';
import type { Steps, Tuning } from './steps.ts';

export async function* pullMailbox(
  connection: Connection,
  { scope, cursor, lane }: PullRequest,
  path: string,
  tuning: Tuning,
): AsyncGenerator<Page> {
  const snapshot = await connection.examine(path);
  try {
    const open = { connection, mailbox: scope, snapshot, tuning, now: tuning.now() };
    const stored = readCursor(cursor);
    const caughtUp = yield* inFewPages(catchUp(open, stored), stored, tuning.page);
    if (lane === 'backfill' && caughtUp.backfill !== null) yield* importOlder(open, caughtUp);
  } finally {
    connection.leave();
  }
}

/** Live steps are small: together they are one page mostly, so that a change costs one batch. */
async function* inFewPages(
  steps: Steps,
  stored: MailboxCursor | null,
  size: number,
): AsyncGenerator<Page, MailboxCursor> {
  let changes: Change[] = [];
  let reached = stored;
  for (;;) {
    const { value, done } = await steps.next();
    if (done) {
      const moved = JSON.stringify(value) !== JSON.stringify(stored);
      if (changes.length > 0 || moved)
        yield { changes, cursor: value, origin: 'live', done: value.backfill === null, estimate: null };
      return value;
    }
    if (changes.length > 0 && changes.length + value.changes.length > size) {
      yield { changes, cursor: reached, origin: 'live', done: false, estimate: null };
      changes = [];
    }
    changes = changes.concat(value.changes);
    reached = value.cursor;
  }
}
