/** What a range of uids holds, as `mailbox.listed` facts. */
import type { Origin } from '@mailstream/contracts';
import type { Change } from '../provider.ts';
import type { Open } from './steps.ts';
import { formatUids, lowestUid, type Uids, uidsWithin } from './uids.ts';

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

/** Where only the newest part of a mailbox is visible, what lies below is not judged. */
export function visibleFrom({ connection }: Open, uids: Uids, from: number): number {
  return connection.quirks.limitedWindow ? (lowestUid(uids) ?? from) : from;
}
