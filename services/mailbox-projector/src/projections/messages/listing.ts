/** The list of copies that a provider says a mailbox has, ready for asking about single uids. */
import { type Flags, type MailboxListed, parseUidSet } from '@mailstream/contracts';
import { AppError, messageOf } from '@mailstream/runtime';
import type { Static } from 'typebox';

interface Run {
  readonly first: number;
  readonly last: number;
  /** Null: they were not looked at. */
  readonly flags: Static<typeof Flags> | null;
}

export interface Listing {
  readonly data: MailboxListed;
  readonly runs: readonly Run[];
}

/** Throws `view.bad_uids` when a uid set is none, or has a uid that another has too. */
export function listingOf(data: MailboxListed): Listing {
  const runs = data.present.flatMap(({ uids, flags }) =>
    runsOf(uids).map(([first, last]) => ({ first, last, flags: flags && normalFlags(flags) })),
  );
  runs.sort((a, b) => a.first - b.first);
  const twice = runs.find(({ first }, n) => first <= (runs[n - 1]?.last ?? 0));
  if (twice) throw new AppError('view.bad_uids', 'parse', `uid ${twice.first} is listed twice`);
  return { data, runs };
}

function runsOf(uids: string): [first: number, last: number][] {
  try {
    return parseUidSet(uids);
  } catch (cause) {
    throw new AppError('view.bad_uids', 'parse', messageOf(cause), { cause });
  }
}

/** The run a uid is in, by binary search; undefined when the list does not have it. */
export function findRun({ runs }: Listing, uid: number): Run | undefined {
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

export function isInWindow(
  { data }: Listing,
  copy: { mailbox: string; generation: string; uid: number },
): boolean {
  return (
    copy.mailbox === data.mailbox &&
    copy.generation === data.generation &&
    copy.uid >= data.from &&
    copy.uid < data.to
  );
}

/** How many uids it names within its window. */
export function sizeOf({ data: { from, to }, runs }: Listing): number {
  const sizes = runs.map(({ first, last }) => Math.min(last, to - 1) - Math.max(first, from) + 1);
  return sizes.reduce((sum, size) => sum + Math.max(0, size), 0);
}

/** As the contract wants them and the view compares them: sorted, without repeats. */
export function normalFlags(flags: readonly string[]): string[] {
  return [...new Set(flags)].sort();
}
