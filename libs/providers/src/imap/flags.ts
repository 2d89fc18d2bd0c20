/** Finds changed flags by looking at them, where the server cannot say what changed (no CONDSTORE). */
import { createHash } from 'node:crypto';
import type { ListedUids } from '@mailstream/contracts';
import { lowest, type MailboxCursor } from './cursor.ts';
import { visibleFrom } from './listing.ts';
import { normalFlags } from './normalize.ts';
import type { Open, Steps } from './steps.ts';
import { eachUid, formatUids, type Uids, uidRange, uidsOf } from './uids.ts';

/** The newest windows are looked at in each pull, all of them this often. */
const NEWEST = 2;
const ALL_EVERY_MS = 6 * 60 * 60_000;

/** Lists the windows of uids whose flags are not as remembered; all windows now and then, or when `all` is set. */
export async function* lookAtFlags(open: Open, start: MailboxCursor, all = false): Steps {
  const { connection, snapshot, mailbox, tuning } = open;
  const known = uidRange(lowest(start), start.uidNext);
  if ((snapshot.modseq !== null && !all) || known.length === 0) return start;
  const { digests = {}, allAt = 0 } = start.windows ?? {};
  const full = all || (start.backfill === null && open.now - allAt >= ALL_EVERY_MS);
  // Which uids exist is only needed to know where to look, or where the server begins to hide them.
  const uids = full || connection.quirks.limitedWindow ? await connection.search(known) : known;
  const bottom = visibleFrom(open, uids, lowest(start));
  const windows = full ? windowsOf(uids, tuning.window) : newestWindows(start.uidNext, bottom, tuning.window);

  const seen: Record<string, string> = {};
  let cursor = start;
  for (const window of windows) {
    const from = Math.max(window * tuning.window, bottom);
    const to = Math.min((window + 1) * tuning.window, start.uidNext);
    const flags = new Map<number, string[]>();
    await connection.fetch(uidRange(from, to), { uid: true, flags: true }, (row) => {
      flags.set(row.uid, normalFlags(row.flags ?? []));
    });
    const digest = digestOf(flags);
    seen[window] = digest;
    if (digest === digests[window] && !all) continue;
    // A row that could not be read must not pass for a removed message: what exists is asked for separately.
    const present = groupByFlags(await connection.search(uidRange(from, to)), flags);
    const { generation } = snapshot;
    cursor = { ...cursor, windows: { digests: { ...digests, ...seen }, allAt } };
    yield {
      changes: [
        { kind: 'listed', data: { mailbox, generation, from, to, present, sweep: false, origin: 'live' } },
      ],
      cursor,
    };
  }
  const remembered = full ? { digests: seen, allAt: open.now } : { digests: { ...digests, ...seen }, allAt };
  return { ...cursor, windows: remembered };
}

function newestWindows(uidNext: number, bottom: number, size: number): number[] {
  const top = Math.floor((uidNext - 1) / size);
  const windows = Array.from({ length: NEWEST }, (_, back) => top - back);
  return windows.filter((window) => (window + 1) * size > bottom && window >= 0);
}

/** The windows that hold any of these uids. */
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

/** As `mailbox.listed` wants it; `flags: null` for those whose flags could not be read. */
function groupByFlags(uids: Uids, flags: ReadonlyMap<number, string[]>): ListedUids['present'] {
  const groups = new Map<string, { uids: number[]; flags: string[] | null }>();
  for (const uid of eachUid(uids)) {
    const names = flags.get(uid) ?? null;
    const group = JSON.stringify(names);
    const known = groups.get(group);
    if (known) known.uids.push(uid);
    else groups.set(group, { uids: [uid], flags: names });
  }
  return [...groups.values()].map((group) => ({ uids: formatUids(uidsOf(group.uids)), flags: group.flags }));
}
