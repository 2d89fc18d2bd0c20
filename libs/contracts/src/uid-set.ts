/** IMAP uid sets (`1:5,7`) as arrays and back; RFC 9051 `sequence-set` without `*`. */

/** A UID as the id of a copy. */
export function uidToId(uid: number): string {
  return String(uid).padStart(10, '0');
}

/** Ascending, distinct uids as the shortest set. */
export function formatUidSet(ascending: readonly number[]): string {
  const runs: string[] = [];
  for (let start = 0; start < ascending.length; ) {
    let end = start;
    while (ascending[end + 1] === (ascending[end] ?? 0) + 1) end += 1;
    runs.push(end === start ? `${ascending[start]}` : `${ascending[start]}:${ascending[end]}`);
    start = end + 1;
  }
  return runs.join(',');
}

/** The runs of a set as `[first, last]` pairs; throws `RangeError` on anything that is not a set of uids. */
export function parseUidSet(set: string): [first: number, last: number][] {
  if (set === '') return [];
  return set.split(',').map((run) => {
    const match = /^([1-9][0-9]{0,9})(?::([1-9][0-9]{0,9}))?$/.exec(run);
    const first = Number(match?.[1]);
    const last = match?.[2] === undefined ? first : Number(match[2]);
    if (!match || last < first || last > 4_294_967_295)
      throw new RangeError(`not a uid set: ${JSON.stringify(set.slice(0, 80))}`);
    return [first, last];
  });
}
