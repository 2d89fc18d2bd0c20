import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { At } from '../../at.ts';
import { messageWith } from '../../testkit.ts';
import type { MessageEntry } from '../messages/state.ts';
import { foldThreads, type LoadedThread, type ThreadFold } from './projection.ts';

interface Mail {
  readonly id: string;
  readonly refs: readonly string[];
}

function atTime(n: number): At {
  return { tenant: 't', account: 'a', sequence: BigInt(n), time: n, event: `e${n}`, origin: null };
}

function entryOf({ id }: Mail, n: number): MessageEntry {
  const receivedAt = new Date(n * 1000).toISOString();
  const copy = { mailbox: 'A', generation: '1', id: '1', flags: [], derived: false };
  const now = { ...messageWith([copy]), id, thread: '', receivedAt };
  return { before: null, now, lastAlive: null, origin: null };
}

/** Folds mails in batches of `size`, each loading only what the one before left behind. */
function threadsOf(mails: readonly Mail[], size: number): Map<string, string> {
  let loaded: LoadedThread[] = [];
  const entries: MessageEntry[] = [];
  for (let from = 0; from < mails.length; from += size) {
    const threads = foldThreads(loaded);
    for (const [index, mail] of mails.slice(from, from + size).entries()) {
      const at = atTime(from + index + 1);
      const entry = entryOf(mail, from + index + 1);
      threads.link(at, entry, mail.refs);
      threads.count(at, { entry, was: null, is: entry.now });
      entries.push(entry);
    }
    for (const entry of entries)
      entry.now = { ...entry.now, thread: threads.resolve(entry.now.thread).thread };
    loaded = saved(threads, loaded);
  }
  return new Map(entries.map(({ now }) => [now.id, now.thread]));
}

/** What the tables would have after the batch. */
function saved(threads: ThreadFold, before: readonly LoadedThread[]): LoadedThread[] {
  const refs = new Map(
    before.flatMap((thread) => thread.refs.map((ref) => [ref, threads.resolve(thread.id).thread] as const)),
  );
  for (const { ref, thread } of threads.newRefs()) refs.set(ref, thread.id);
  return threads.entries().map(({ now }) => ({
    ...now,
    refs: [...refs].flatMap(([ref, thread]) => (thread === now.id ? [ref] : [])),
  }));
}

/** Groups of mails, as sorted ids. */
function partition(threads: ReadonlyMap<string, string>): string[] {
  const groups = Map.groupBy([...threads], ([, thread]) => thread);
  return [...groups.values()]
    .map((group) =>
      group
        .map(([id]) => id)
        .sort()
        .join(' '),
    )
    .sort();
}

const mails: fc.Arbitrary<Mail[]> = fc
  .array(fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { maxLength: 4 }), { maxLength: 12 })
  .map((lists) => lists.map((refs, n) => ({ id: `m${n}`, refs: refs.map((ref) => `ref${ref}`) })));

describe('threads', () => {
  it('are the same groups in any order and in any batches', () => {
    fc.assert(
      fc.property(
        mails.chain((list) =>
          fc.tuple(fc.constant(list), fc.shuffledSubarray(list, { minLength: list.length })),
        ),
        fc.integer({ min: 1, max: 12 }),
        ([list, shuffled], size) => {
          expect(partition(threadsOf(shuffled, size))).toEqual(partition(threadsOf(list, 1)));
        },
      ),
    );
  });

  it('hold exactly what shares a reference, directly or through others', () => {
    const list = [
      { id: 'a', refs: ['1'] },
      { id: 'b', refs: ['2'] },
      { id: 'c', refs: ['3'] },
      { id: 'd', refs: [] },
      { id: 'e', refs: ['1', '2'] },
    ];
    expect(partition(threadsOf(list, 1))).toEqual(['a b e', 'c', 'd']);
  });
});
