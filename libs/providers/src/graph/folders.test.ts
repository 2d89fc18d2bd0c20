import { expect, it } from 'vitest';
import { type FoldersCursor, folderOf, followFolders, readFoldersCursor } from './folders.ts';

interface Given {
  readonly name?: string;
  readonly parent?: string;
  readonly total?: number;
  readonly unread?: number;
  readonly type?: string;
}

const folder = (id: string, { name = id, parent = 'root', total = 0, unread = 0, type }: Given = {}) =>
  folderOf(id, {
    '@odata.type': `#microsoft.graph.${type ?? 'mailFolder'}`,
    displayName: name,
    parentFolderId: parent,
    totalItemCount: total,
    unreadItemCount: unread,
  });
const ALIASES = { msgfolderroot: 'root', inbox: 'in', deleteditems: 'bin' };
const follow = (memory: FoldersCursor, ...folders: ReturnType<typeof folder>[]) =>
  followFolders(memory, folders, { aliases: ALIASES, walkAt: 0, recent: {} }, 'live');
const NONE = readFoldersCursor(null);
const short = ({ changes }: ReturnType<typeof follow>) =>
  changes.map((change) => (change.op === 'upsert' ? change.path : `-${change.mailbox}`));

it('paths are names from the root on, and parents come before their children', () => {
  const { changes } = follow(
    NONE,
    folder('c', { name: 'Ü', parent: 'b' }),
    folder('b', { name: 'Work' }),
    folder('root', { name: 'Top of Information Store', parent: 'root' }),
  );
  expect(changes).toMatchObject([
    { op: 'upsert', address: 'b', path: 'Work', name: 'Work', parent: null, selectable: true },
    { op: 'upsert', address: 'c', path: 'Work/Ü', name: 'Ü', parent: changes[0]?.mailbox },
  ]);
});

it('roles follow from ids, whatever the names', () => {
  const { changes } = follow(
    NONE,
    folder('in', { name: 'Postvak IN' }),
    folder('x', { name: 'Inbox' }),
    folder('bin'),
  );
  const roles = changes.map((change) => (change.op === 'upsert' ? [change.address, change.role] : []));
  expect(Object.fromEntries(roles)).toEqual({ in: 'inbox', x: null, bin: 'trash' });
});

it('what is the same is not told again, in any order', () => {
  const [a, b] = [folder('a'), folder('b', { parent: 'a' })];
  const { cursor } = follow(NONE, a, b);
  expect(short(follow(cursor, b, a))).toEqual([]);
  expect(short(follow(JSON.parse(JSON.stringify(cursor)), a, b))).toEqual([]);
});

it.each<[string, Given]>([
  ['a message', { total: 1 }],
  ['reading', { unread: 1 }],
  ['a name', { name: 'z' }],
])('%s changes a folder', (_what, given) => {
  const { cursor } = follow(NONE, folder('a'), folder('b'));
  expect(short(follow(cursor, folder('a', given), folder('b')))).toEqual([given.name ?? 'a']);
});

it('a folder that moved keeps its key, and its children move with it', () => {
  const { cursor, changes } = follow(NONE, folder('a'), folder('b', { parent: 'a' }), folder('bin'));
  const moved = follow(cursor, folder('a', { parent: 'bin' }), folder('b', { parent: 'a' }), folder('bin'));
  expect(short(moved)).toEqual(['bin/a', 'bin/a/b']);
  expect(moved.changes.map(({ mailbox }) => mailbox)).toEqual(
    changes.slice(0, 2).map(({ mailbox }) => mailbox),
  );
});

it('a folder that is gone is removed once', () => {
  const before = follow(NONE, folder('a'), folder('b'));
  const after = follow(before.cursor, folder('b'));
  expect(after.changes).toEqual([{ op: 'removed', mailbox: before.changes[0]?.mailbox, origin: 'live' }]);
  expect(short(follow(after.cursor, folder('b')))).toEqual([]);
});

it('search folders hold no messages of their own', () => {
  const { changes } = follow(NONE, folder('s', { type: 'mailSearchFolder' }));
  expect(changes).toMatchObject([{ selectable: false }]);
});

it('folders that seem to be inside each other are told all the same', () => {
  expect(short(follow(NONE, folder('a', { parent: 'b' }), folder('b', { parent: 'a' }))).sort()).toEqual([
    'a/b',
    'b/a',
  ]);
});

it('a folder whose properties make no sense has at least a name', () => {
  const { changes } = followFolders(
    NONE,
    [folderOf('a', { displayName: 7, totalItemCount: -1 })],
    { aliases: {}, walkAt: 0, recent: {} },
    'live',
  );
  expect(changes).toMatchObject([{ path: 'a', parent: null, messages: null, role: null }]);
});
