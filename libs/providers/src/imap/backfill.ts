/** The import of a mailbox: downwards from where it stood when it began, then a list of everything as the check. */
import type { Page } from '../provider.ts';
import { importAgain, lowest, type MailboxCursor } from './cursor.ts';
import { listed, visibleFrom } from './listing.ts';
import { type Read, readMessages } from './messages.ts';
import { type Open, withBroken } from './steps.ts';
import { countUids, lowestUid, splitNewest, type Uids, uidRange } from './uids.ts';

export async function* importOlder(open: Open, start: MailboxCursor): AsyncGenerator<Page> {
  const { page: size, job } = open.tuning;
  let cursor = start;
  for (let given = 0; given < job; ) {
    // Some servers cap what one SEARCH returns: only an empty answer says that nothing is left.
    const left = await open.connection.search(uidRange(1, lowest(cursor)));
    if (left.length === 0) return yield* finishImport(open, cursor);
    const { newest } = splitNewest(left, job - given);
    for await (const page of pagesOf(open, cursor, newest, countUids(left))) {
      cursor = page.cursor;
      given += size;
      yield page;
    }
  }
}

/** Each page continues the one before; the next one is read while this one is being stored. */
async function* pagesOf(
  open: Open,
  start: MailboxCursor,
  uids: Uids,
  remaining: number,
): AsyncGenerator<Page & { readonly cursor: MailboxCursor }> {
  const size = open.tuning.page;
  let cursor = start;
  let { newest, rest } = splitNewest(uids, size);
  let reading = startReading(open, newest);
  try {
    for (let estimate = remaining; newest.length > 0; ) {
      const { changes, broken } = await reading;
      estimate -= countUids(newest);
      cursor = {
        ...withBroken(open, cursor, broken),
        count: cursor.count + changes.length,
        backfill: { ...cursor.backfill, below: lowestUid(newest) ?? 1 },
      };
      ({ newest, rest } = splitNewest(rest, size));
      reading = startReading(open, newest);
      yield { changes, cursor, origin: 'backfill', done: false, estimate };
    }
  } finally {
    await reading.catch(() => undefined);
  }
}

function startReading(open: Open, uids: Uids): Promise<Read> {
  const reading = readMessages(open, uids, 'backfill');
  // It may fail while nobody waits; whoever waits for it next is told.
  reading.catch(() => undefined);
  return reading;
}

/** The list sweeps older generations and what was removed during the import; messages that slipped through are imported once more. */
async function* finishImport(open: Open, cursor: MailboxCursor): AsyncGenerator<Page> {
  const uids = await open.connection.search(uidRange(1, cursor.uidNext));
  const count = countUids(uids);
  if (count > cursor.count && cursor.backfill?.again !== true) {
    yield { changes: [], cursor: importAgain(cursor), origin: 'reconcile', done: false, estimate: count };
    return;
  }
  const from = visibleFrom(open, uids, 1);
  yield {
    changes: listed(open, { from, to: cursor.uidNext, uids, sweep: true, origin: 'backfill' }),
    cursor: { ...cursor, count, backfill: null },
    origin: 'backfill',
    done: true,
    estimate: null,
  };
}
