/** The list of copies that a provider says a mailbox has, ready for asking about single ids. */
import {
  type Flags,
  type ListedIds,
  type ListedUids,
  type MailboxListed,
  parseUidSet,
  uidToId,
} from '@mailstream/contracts';
import { AppError, messageOf } from '@mailstream/runtime';
import type { Static } from 'typebox';

/** What a list says of a copy it names; `flags: null`, that they were not looked at. */
interface Named {
  readonly flags: Static<typeof Flags> | null;
}

export interface UidRun extends Named {
  readonly first: number;
  readonly last: number;
}

export interface Listing {
  readonly data: MailboxListed;
  /** Ids below are not judged. */
  readonly from: string;
  /** Nor is this one, or any above; null when there is no end. */
  readonly to: string | null;
  /** Names of copies, one by one; null when the list names runs of UIDs. */
  readonly ids: ReadonlySet<string> | null;
  readonly runs: readonly UidRun[];
  /** How many ids it names within its window. */
  readonly size: number;
  /** Undefined when the list does not have it. */
  find(id: string): Named | undefined;
}

/** Throws `view.bad_uids` when a uid set is none, or has a uid that another has too. */
export function listingOf(data: MailboxListed): Listing {
  return 'ids' in data ? idListing(data) : uidListing(data);
}

export function isInWindow(
  { data, from, to }: Listing,
  copy: { mailbox: string; generation: string; id: string },
): boolean {
  return (
    copy.mailbox === data.mailbox &&
    copy.generation === data.generation &&
    copy.id >= from &&
    (to === null || copy.id < to)
  );
}

const NOT_LOOKED_AT: Named = { flags: null };

function idListing(data: ListedIds): Listing {
  const { from, to } = data;
  const ids = new Set(data.ids.filter((id) => id >= from && (to === null || id < to)));
  const find = (id: string) => (ids.has(id) ? NOT_LOOKED_AT : undefined);
  return { data, from, to, ids, runs: [], size: ids.size, find };
}

function uidListing(data: ListedUids): Listing {
  const { from, to } = data;
  const runs = data.present.flatMap(({ uids, flags }) =>
    runsOf(uids).map(([first, last]) => ({ first, last, flags: flags && normalFlags(flags) })),
  );
  runs.sort((a, b) => a.first - b.first);
  const twice = runs.find(({ first }, n) => first <= (runs[n - 1]?.last ?? 0));
  if (twice) throw new AppError('view.bad_uids', 'parse', `uid ${twice.first} is listed twice`);
  const sizes = runs.map(({ first, last }) => Math.min(last, to - 1) - Math.max(first, from) + 1);
  return {
    data,
    from: uidToId(from),
    to: uidToId(to),
    ids: null,
    runs,
    size: sizes.reduce((sum, size) => sum + Math.max(0, size), 0),
    find: (id) => findRun(runs, Number(id)),
  };
}

function runsOf(uids: string): [first: number, last: number][] {
  try {
    return parseUidSet(uids);
  } catch (cause) {
    throw new AppError('view.bad_uids', 'parse', messageOf(cause), { cause });
  }
}

/** By binary search. */
function findRun(runs: readonly UidRun[], uid: number): UidRun | undefined {
  let low = 0;
  let high = runs.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const run = runs[middle];
    if (!run || (run.first <= uid && uid <= run.last)) return run;
    if (uid < run.first) high = middle - 1;
    else low = middle + 1;
  }
  return undefined;
}

/** As the contract wants them and the view compares them: sorted, without repeats. */
export function normalFlags(flags: readonly string[]): string[] {
  return [...new Set(flags)].sort();
}
