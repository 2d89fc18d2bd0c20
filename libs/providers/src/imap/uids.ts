/** Sets of uids as runs, so that a mailbox of a million messages is a handful of numbers. Pure. */

/** Runs `[first, last]`, ascending, disjoint and not touching. */
export type Uids = readonly (readonly [first: number, last: number])[];

export const NO_UIDS: Uids = [];
const MAX_UID = 4_294_967_295;

/** Every uid from `from` up to, not including, `to`. */
export function uidRange(from: number, to: number): Uids {
  return to > from ? [[from, to - 1]] : NO_UIDS;
}

/** Any order, repeats allowed. */
export function uidsOf(list: Iterable<number>): Uids {
  return merge([...list].map((uid) => [uid, uid] as const));
}

/** Reads a server's set: its runs may come in any order and overlap (RFC 9051 section 9, `sequence-set`). Throws `RangeError`. */
export function parseUids(set: string): Uids {
  if (set === '') return NO_UIDS;
  return merge(
    set.split(',').map((run) => {
      const match = /^([1-9][0-9]{0,9})(?::([1-9][0-9]{0,9}))?$/.exec(run);
      if (!match) throw new RangeError(`not a uid set: ${JSON.stringify(set.slice(0, 80))}`);
      const one = Number(match[1]);
      const other = match[2] === undefined ? one : Number(match[2]);
      if (Math.max(one, other) > MAX_UID) throw new RangeError(`uid out of range: ${run}`);
      return [Math.min(one, other), Math.max(one, other)] as const;
    }),
  );
}

function merge(runs: (readonly [number, number])[]): Uids {
  const merged: [number, number][] = [];
  for (const [first, last] of runs.sort((a, b) => a[0] - b[0])) {
    const open = merged.at(-1);
    if (open !== undefined && first <= open[1] + 1) open[1] = Math.max(open[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

export function formatUids(uids: Uids): string {
  return uids.map(([first, last]) => (first === last ? `${first}` : `${first}:${last}`)).join(',');
}

export function countUids(uids: Uids): number {
  let count = 0;
  for (const [first, last] of uids) count += last - first + 1;
  return count;
}

export function lowestUid(uids: Uids): number | null {
  return uids[0]?.[0] ?? null;
}

export function highestUid(uids: Uids): number | null {
  return uids.at(-1)?.[1] ?? null;
}

export function isIn(uids: Uids, uid: number): boolean {
  return uids.some(([first, last]) => uid >= first && uid <= last);
}

/** Those with `from <= uid < to`. */
export function uidsWithin(uids: Uids, from: number, to: number): Uids {
  return uids
    .filter(([first, last]) => last >= from && first < to)
    .map(([first, last]) => [Math.max(first, from), Math.min(last, to - 1)] as const);
}

/** The highest `count` of them, and the rest. */
export function splitNewest(uids: Uids, count: number): { newest: Uids; rest: Uids } {
  let wanted = count;
  for (let at = uids.length - 1; at >= 0; at -= 1) {
    const [first, last] = uids[at] ?? [1, 0];
    const size = last - first + 1;
    if (size < wanted) {
      wanted -= size;
      continue;
    }
    const cut = last - wanted + 1;
    const rest = uids.slice(0, at);
    if (cut > first) rest.push([first, cut - 1]);
    return { newest: [[cut, last], ...uids.slice(at + 1)], rest };
  }
  return { newest: uids, rest: NO_UIDS };
}

/** Ascending chunks of at most `size` uids. */
export function chunkUids(uids: Uids, size: number): Uids[] {
  const chunks: Uids[] = [];
  let rest = uids;
  while (rest.length > 0) {
    const { newest, rest: older } = splitNewest(rest, size);
    chunks.push(newest);
    rest = older;
  }
  return chunks.reverse();
}

export function* eachUid(uids: Uids): Generator<number> {
  for (const [first, last] of uids) for (let uid = first; uid <= last; uid += 1) yield uid;
}
