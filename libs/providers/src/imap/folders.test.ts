import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Folder, type FoldersCursor, followFolders, readFoldersCursor } from './folders.ts';

const NOTHING = readFoldersCursor(null);

function folder(
  path: string,
  content: { generation?: string; uidNext?: number; messages?: number } = {},
  more: Partial<Folder> = {},
): Folder {
  const { generation = '1', uidNext = 1, messages = 0 } = content;
  return {
    path,
    name: path.split('/').at(-1) ?? path,
    parentPath: path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : null,
    role: null,
    selectable: true,
    counters: { generation, uidNext, messages, modseq: '', unseen: 0 },
    id: null,
    ...more,
  };
}

/** Listings one after the other; the changes of the last one, and the keys by path. */
function follow(...listings: Folder[][]) {
  let cursor: FoldersCursor = NOTHING;
  let changes: ReturnType<typeof followFolders>['changes'] = [];
  const keys: Record<string, string>[] = [];
  for (const listing of listings) {
    ({ cursor, changes } = followFolders(cursor, listing, 'live'));
    keys.push(Object.fromEntries(cursor.folders.map(({ path, key }) => [path, key])));
  }
  return { changes, keys, cursor };
}

const full = { generation: '9', uidNext: 12, messages: 4 };

describe('the list of mailboxes', () => {
  it('is told once, parents by key, and then only what changed', () => {
    const listing = [folder('A'), folder('A/B', full)];
    const { changes, keys } = follow(listing);
    expect(changes).toMatchObject([
      { op: 'upsert', path: 'A', parent: null },
      { path: 'A/B', name: 'B', parent: keys[0]?.A, messages: 4 },
    ]);
    expect(follow(listing, listing).changes).toEqual([]);
    const later = follow(listing, [folder('A'), folder('A/B', { ...full, uidNext: 13, messages: 5 })]);
    expect(later.changes).toMatchObject([{ path: 'A/B', state: '9.13.5..0' }]);
  });

  it('keeps the key of a renamed mailbox, and of what is in it', () => {
    const { keys, changes } = follow(
      [folder('A', full), folder('A/empty', { generation: '3' })],
      [folder('Z', full), folder('Z/empty', { generation: '3' })],
    );
    expect(keys[1]).toEqual({ Z: keys[0]?.A, 'Z/empty': keys[0]?.['A/empty'] });
    expect(changes.map(({ op }) => op)).toEqual(['upsert', 'upsert']);
  });

  it('follows mailboxes that swap their names', () => {
    const other = { generation: '8', uidNext: 3, messages: 1 };
    const { keys } = follow([folder('A', full), folder('B', other)], [folder('A', other), folder('B', full)]);
    expect(keys[1]).toEqual({ A: keys[0]?.B, B: keys[0]?.A });
  });

  it('gives a new mailbox at a name that was renamed away a key of its own', () => {
    const { keys } = follow([folder('A', full)], [folder('B', full), folder('A', { generation: '10' })]);
    expect(keys[1]?.B).toBe(keys[0]?.A);
    expect(keys[1]?.A).not.toBe(keys[0]?.A);
  });

  it.each([
    ['empty mailboxes', [folder('A')], [folder('B')]],
    ['two that look alike', [folder('A', full)], [folder('B', full), folder('C', full)]],
    ['another UIDVALIDITY', [folder('A', full)], [folder('B', { ...full, generation: '10' })]],
    ['changed counters', [folder('A', full)], [folder('B', { ...full, uidNext: 13 })]],
  ])('takes nothing for a rename that may not be one: %s', (_, before, after) => {
    const { keys, changes } = follow(before, after);
    expect(changes).toContainEqual({ op: 'removed', mailbox: keys[0]?.A, origin: 'live' });
  });

  it('keeps a mailbox whose uids were forgotten, and never goes on under the key of one that was removed', () => {
    const [first, second] = [folder('A', full), folder('A', { ...full, generation: '10' })];
    expect(follow([first], [second]).keys[1]).toEqual(follow([first], [second]).keys[0]);
    const { keys } = follow([first], [], [first], [], [first]);
    expect(new Set([keys[0]?.A, keys[2]?.A, keys[4]?.A]).size).toBe(3);
  });

  it('drops what a mailbox held that can hold nothing any more', () => {
    const { keys, changes } = follow(
      [folder('A', full)],
      [folder('A', {}, { selectable: false, counters: null })],
    );
    expect(changes).toMatchObject([
      { op: 'removed', mailbox: keys[0]?.A },
      { op: 'upsert', path: 'A', selectable: false },
    ]);
  });

  it('never gives two mailboxes one key, whatever comes and goes', () => {
    const listing = fc.uniqueArray(
      fc.tuple(fc.constantFrom('A', 'B', 'A/B', 'C', 'C/A'), fc.nat(3), fc.nat(2)),
      { selector: ([path]) => path },
    );
    fc.assert(
      fc.property(fc.array(listing, { maxLength: 8 }), (rounds) => {
        let cursor = NOTHING;
        const living = new Map<string, string>();
        const buried = new Set<string>();
        for (const round of rounds) {
          const next = followFolders(
            cursor,
            round.map(([path, generation, messages]) =>
              folder(path, { generation: `${generation}`, uidNext: messages + 1, messages }),
            ),
            'live',
          );
          for (const change of next.changes)
            if (change.op === 'removed') {
              expect(living.delete(change.mailbox)).toBe(true);
              buried.add(change.mailbox);
            } else {
              expect(buried).not.toContain(change.mailbox);
              living.set(change.mailbox, change.path);
            }
          cursor = next.cursor;
          expect([...living.values()].sort()).toEqual(round.map(([path]) => path).sort());
        }
      }),
    );
  });
});
