/** The live steps of a mailbox: what changed in the part the log knows, and what is newer. */
import { uidToId } from '@mailstream/contracts';
import type { Change } from '../provider.ts';
import { digits, importAgain, lowest, type MailboxCursor, startImport } from './cursor.ts';
import { lookAtFlags } from './flags.ts';
import { listed, visibleFrom } from './listing.ts';
import { readMessages } from './messages.ts';
import { normalFlags } from './normalize.ts';
import { type Open, type Steps, withBroken } from './steps.ts';
import { chunkUids, countUids, NO_UIDS, uidRange, uidsOf } from './uids.ts';

/** VANISHED beyond this share, or this many, is believed only after a full list of uids. */
const SUSPICIOUS_SHARE = 0.2;
const SUSPICIOUS_FROM = 100;
const MAX_VANISHED = 2_000;
const RETRY_BROKEN_MS = 24 * 60 * 60_000;

/** The order matters: a cursor moves its mod-sequence only after flags and removals, its UIDNEXT with the messages below it. */
export async function* catchUp(open: Open, stored: MailboxCursor | null): Steps {
  const { snapshot } = open;
  if (stored === null || stored.generation !== snapshot.generation) return startImport(snapshot);
  if (snapshot.uidNext < stored.uidNext) {
    // The server forgot, and will give these uids to other messages.
    yield {
      changes: listed(open, { from: snapshot.uidNext, to: stored.uidNext, uids: NO_UIDS }),
      cursor: stored,
    };
    return startImport(snapshot);
  }
  const changed = yield* changesSince(open, stored);
  let cursor = yield* newMessages(open, changed.cursor);
  if (!changed.relisted) cursor = yield* removals(open, cursor, changed.removed);
  cursor = yield* lookAtFlags(open, cursor);
  return yield* brokenAgain(open, cursor);
}

interface Changed {
  readonly cursor: MailboxCursor;
  /** Copies said to be removed. */
  readonly removed: number;
  /** Whether the full list was told instead. */
  readonly relisted: boolean;
}

/** CONDSTORE: changed flags and, under QRESYNC, vanished messages, in the range the log knows. */
async function* changesSince(open: Open, cursor: MailboxCursor): Steps<Changed> {
  const { connection, mailbox, snapshot, tuning } = open;
  const advanced = { ...cursor, modseq: digits(snapshot.modseq) };
  const known = uidRange(lowest(cursor), cursor.uidNext);
  if (snapshot.modseq === null || known.length === 0)
    return { cursor: advanced, removed: 0, relisted: false };
  const since = cursor.modseq === null ? null : BigInt(cursor.modseq);
  if (since === snapshot.modseq) return { cursor, removed: 0, relisted: false };
  if (since === null || since > snapshot.modseq) {
    // Mod-sequences that only began, or run backwards, say nothing about the past.
    const { windows: _, ...looked } = yield* lookAtFlags(open, cursor, true);
    return { cursor: { ...looked, modseq: advanced.modseq }, removed: 0, relisted: false };
  }

  const { flags, vanished } = await connection.delta(known, since);
  const copy = (uid: number) => ({ mailbox, generation: cursor.generation, id: uidToId(uid) });
  const suspicious =
    vanished.length > MAX_VANISHED ||
    (vanished.length > SUSPICIOUS_FROM && vanished.length > cursor.count * SUSPICIOUS_SHARE);
  const changes: Change[] = [];
  if (!suspicious)
    for (const uid of vanished)
      changes.push({ kind: 'message', data: { op: 'removed', copy: copy(uid), origin: 'live' } });
  for (const [uid, set] of flags)
    changes.push({
      kind: 'message',
      data: { op: 'patch', copy: copy(uid), origin: 'live', flags: normalFlags(set) },
    });
  for (let at = 0; at < changes.length; at += tuning.page)
    yield { changes: changes.slice(at, at + tuning.page), cursor };
  if (suspicious) return { cursor: yield* relist(open, advanced), removed: 0, relisted: true };
  return { cursor: advanced, removed: vanished.length, relisted: false };
}

/** Messages above the cursor, oldest first, so that each page can move UIDNEXT. */
async function* newMessages(open: Open, start: MailboxCursor): Steps {
  const { connection, snapshot, tuning } = open;
  let cursor = start;
  if (snapshot.uidNext <= cursor.uidNext) return cursor;
  const range = uidRange(cursor.uidNext, snapshot.uidNext);
  const uids = countUids(range) <= tuning.page ? range : await connection.search(range);
  for (const chunk of chunkUids(uids, tuning.page)) {
    const { changes, highest, broken } = await readMessages(open, chunk, 'live');
    cursor = {
      ...withBroken(open, cursor, broken),
      uidNext: highest === null ? cursor.uidNext : highest + 1,
      count: cursor.count + changes.length,
    };
    if (changes.length > 0) yield { changes, cursor };
  }
  // Gmail announces messages a moment before it shows them: stay below those that EXISTS counts and nobody has seen.
  const late = cursor.backfill === null && snapshot.exists > cursor.count + (cursor.hidden ?? 0);
  return late ? cursor : { ...cursor, uidNext: snapshot.uidNext };
}

/** Compares how many copies the log has with EXISTS: a difference that VANISHED does not explain is looked into. */
async function* removals(open: Open, cursor: MailboxCursor, removed: number): Steps {
  // While an import runs EXISTS says nothing; the list that ends it finds what went missing.
  if (cursor.backfill !== null) return cursor;
  const count = cursor.count - removed;
  if (count + (cursor.hidden ?? 0) === open.snapshot.exists) return { ...cursor, count };
  return yield* relist(open, cursor);
}

/** The full list of uids as the truth about the part the log knows. When it has more than the log, everything is imported again. */
async function* relist(open: Open, cursor: MailboxCursor): Steps {
  const from = lowest(cursor);
  const uids = await open.connection.search(uidRange(from, cursor.uidNext));
  const count = countUids(uids);
  const complete = cursor.backfill === null;
  if (complete && count > cursor.count) return importAgain(cursor);
  const { hidden: _, ...rest } = cursor;
  const hidden = open.snapshot.exists - count;
  const next = complete ? { ...rest, count, ...(hidden > 0 ? { hidden } : {}) } : cursor;
  yield {
    changes: listed(open, { from: visibleFrom(open, uids, from), to: cursor.uidNext, uids }),
    cursor: next,
  };
  return next;
}

/** Asks once a day for what the server could not give. */
async function* brokenAgain(open: Open, cursor: MailboxCursor): Steps {
  const { broken: before, ...rest } = cursor;
  if (before === undefined || open.now - before.at < RETRY_BROKEN_MS) return cursor;
  const { changes, broken } = await readMessages(open, uidsOf(before.uids), 'reconcile');
  const next = broken.length === 0 ? rest : { ...rest, broken: { uids: broken, at: open.now } };
  if (changes.length > 0) yield { changes, cursor: next };
  return next;
}
