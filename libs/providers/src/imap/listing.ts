/** What a range of uids holds, as `mailbox.listed` facts: for removals nobody announced, and for flags where no CONDSTORE tells. */
import { createHash } from 'node:crypto';
import type { MailboxListed, Origin } from '@mailstream/contracts';
import type { Change } from '../provider.ts';
import { lowest, type MailboxCursor } from './cursor.ts';
import { normalFlags } from './normalize.ts';
import type { Open, Steps } from './steps.ts';
import { eachUid, formatUids, type Uids, uidRange, uidsOf, uidsWithin } from './uids.ts';

/** The newest windows are looked at in each pull, all of them this often. */
const NEWEST = 2;
const FULL_EVERY_MS = 6 * 60 * 60_000;
/** Runs of uids per fact, at most 22 characters each. */
const MAX_RUNS = 4_000;

/** Says that of the uids `from` up to, not including, `to` exactly `uids` exist. Several facts when there are many gaps. */
export function listed(
  { mailbox, snapshot }: Open,
  {
    from,
    to,
    uids,
    sweep = false,
    origin = 'live',
  }: { from: number; to: number; uids: Uids; sweep?: boolean; origin?: Origin },
): Change[] {
  const runs = uidsWithin(uids, from, to);
  const changes: Change[] = [];
  let start = from;
  for (let at = 0; at === 0 || at < runs.length; at += MAX_RUNS) {
    const end = runs[at + MAX_RUNS]?.[0] ?? to;
    const window = runs.slice(at, at + MAX_RUNS);
    const present = window.length === 0 ? [] : [{ uids: formatUids(window), flags: null }];
    const data = {
      mailbox,
      generation: snapshot.generation,
      from: start,
      to: end,
      present,
      sweep: sweep && end === to,
      origin,
    };
    changes.push({ kind: 'listed', data });
    start = end;
  }
  return changes;
}

/**
 * Finds changed flags by looking, where the server cannot say what changed: the newest windows each time; all of them now and then,
 * or when `all` is set. A window that is as before says nothing.
 */
export async function* lookAtFlags(open: Open, start: MailboxCursor, all = false): Steps {
  const { connection, snapshot, mailbox, tuning } = open;
  const known = uidRange(lowest(start), start.uidNext);
  if ((snapshot.modseq !== null && !all) || known.length === 0) return start;
  const { digests = {}, fullAt = 0 } = start.windows ?? {};
  const full = all || (start.backfill === null && open.now - fullAt >= FULL_EVERY_MS);
  const next: Record<string, string> = full ? {} : { ...digests };
  let cursor = start;
  for (const window of full
    ? windowsOf(await connection.search(known), tuning.window)
    : newestWindows(start, tuning.window)) {
    const from = Math.max(window * tuning.window, lowest(start));
    const to = Math.min((window + 1) * tuning.window, start.uidNext);
    const flags = new Map<number, string[]>();
    for (const [uid, row] of await connection.fetch(uidRange(from, to), { uid: true, flags: true }))
      flags.set(uid, normalFlags(row.flags ?? []));
    const digest = digestOf(flags);
    next[window] = digest;
    if (digest === digests[window] && !all) continue;
    // A row that could not be read must not pass for a removed message: what exists is asked for separately.
    const present = groupByFlags(await connection.search(uidRange(from, to)), flags);
    const data = {
      mailbox,
      generation: snapshot.generation,
      from,
      to,
      present,
      sweep: false,
      origin: 'live' as const,
    };
    if (snapshot.modseq === null)
      cursor = { ...cursor, windows: { digests: { ...digests, ...next }, fullAt } };
    yield { changes: [{ kind: 'listed', data }], cursor };
  }
  return snapshot.modseq === null
    ? { ...cursor, windows: { digests: next, fullAt: full ? open.now : fullAt } }
    : cursor;
}

function newestWindows(cursor: MailboxCursor, size: number): number[] {
  const top = Math.floor((cursor.uidNext - 1) / size);
  const bottom = Math.floor(lowest(cursor) / size);
  return Array.from({ length: NEWEST }, (_, back) => top - back).filter((window) => window >= bottom);
}

function windowsOf(uids: Uids, size: number): number[] {
  const windows = new Set<number>();
  for (const [first, last] of uids)
    for (let window = Math.floor(first / size); window <= Math.floor(last / size); window += 1)
      windows.add(window);
  return [...windows];
}

function digestOf(flags: ReadonlyMap<number, readonly string[]>): string {
  const text = [...flags].sort(([a], [b]) => a - b).map(([uid, names]) => `${uid} ${names.join(' ')}`);
  return createHash('sha256').update(text.join('\n')).digest('base64url').slice(0, 11);
}

function groupByFlags(uids: Uids, flags: ReadonlyMap<number, string[]>): MailboxListed['present'] {
  const groups = new Map<string, { uids: number[]; flags: string[] | null }>();
  for (const uid of eachUid(uids)) {
    const names = flags.get(uid) ?? null;
    const group = names === null ? '' : `/${names.join(' ')}`;
    const known = groups.get(group);
    if (known) known.uids.push(uid);
    else groups.set(group, { uids: [uid], flags: names });
  }
  return [...groups.values()].map((group) => ({ uids: formatUids(uidsOf(group.uids)), flags: group.flags }));
}

/** Where only the newest part of a mailbox is visible, what lies below is not judged. */
export function visibleFrom({ connection }: Open, uids: Uids, from: number): number {
  return connection.quirks.limitedWindow ? (uids[0]?.[0] ?? from) : from;
}
