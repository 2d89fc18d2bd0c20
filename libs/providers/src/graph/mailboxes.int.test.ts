// The list of folders, from one look to the next.
import { MAILBOXES_SCOPE } from '@mailstream/contracts';
import { afterEach, expect, it } from 'vitest';
import { mailboxKey } from './normalize.ts';
import { type Rig, startRig, told } from './testkit.ts';

let rig: Rig;
afterEach(async () => {
  await rig.mirror.close();
  await rig.close();
  rig.control.assertContract();
});

const DAY = 24 * 60 * 60_000;

async function look() {
  const before = rig.mirror.pages.length;
  await rig.mirror.pullOnce(await rig.connect(), MAILBOXES_SCOPE, null, 'live');
  return rig.mirror.pages.slice(before).map(({ page }) => page);
}
const paths = () => [...rig.mirror.state.view.mailboxes.values()].map(({ path }) => path).sort();

it('has nested and hidden folders, and roles in any language', async () => {
  rig = await startRig({ account: { locale: 'nl', userFolders: true, without: ['archive'] } });
  await look();
  const { mailboxes } = rig.mirror.state.view;
  expect(paths()).toEqual(
    expect.arrayContaining(['Projects/2026/Migration', 'Synchronisatieproblemen/Conflicten', 'Postvak IN']),
  );
  const truth = rig.control.folders({ mailbox: rig.mailbox }).filter(({ parent }) => parent !== null);
  expect(mailboxes.size).toBe(truth.length);
  const roles = [...mailboxes.values()].flatMap(({ role, name }) => (role ? [[role, name]] : []));
  expect(Object.fromEntries(roles)).toEqual({
    inbox: 'Postvak IN',
    sent: 'Verzonden items',
    drafts: 'Concepten',
    trash: 'Verwijderde items',
    junk: 'Ongewenste e-mail',
  });
});

it('says nothing and stores nothing when nothing changed, in two requests', async () => {
  rig = await startRig({ account: { messages: 20 } });
  await look();
  rig.control.clearRequests();
  expect(await look()).toEqual([]);
  expect(rig.control.requests()).toHaveLength(2);
});

it('tells of a folder whose counters changed', async () => {
  rig = await startRig({ account: { messages: 20 } });
  await look();
  const [id = ''] = rig.control.deliver({ mailbox: rig.mailbox, folder: 'junkemail' });
  expect(told(await look(), rig)).toEqual(['upsert mailbox Junk Email']);
  rig.control.markRead({ mailbox: rig.mailbox, ids: [id], read: true });
  expect(told(await look(), rig)).toEqual(['upsert mailbox Junk Email']);
});

it('tells of a folder in which something changed that moves no counter', async () => {
  rig = await startRig({ account: { messages: 20 } });
  await look();
  const { mailbox, control } = rig;
  const [id = '', other = ''] = control.deliver({ mailbox, folder: 'archive', count: 2 });
  await look();
  control.advance({ ms: 1_000 });
  for (const flagged of [id, other]) {
    // Both within one second, as virtual time stands still.
    control.flag({ mailbox, ids: [flagged], flag: 'flagged' });
    expect(told(await look(), rig)).toEqual(['upsert mailbox Archive']);
  }
  expect(await look()).toEqual([]);
});

it('does without that where messages cannot be listed so', async () => {
  rig = await startRig({ account: { messages: 20 } });
  rig.control.fault({ path: '/messages$', times: 2, fault: { kind: 'status', status: 400 } });
  await look();
  rig.control.deliver({ mailbox: rig.mailbox, folder: 'junkemail' });
  expect(told(await look(), rig)).toEqual(['upsert mailbox Junk Email']);
});

it('follows a folder into the bin and out of the world', async () => {
  rig = await startRig();
  const { mailbox } = rig;
  const work = rig.control.createFolder({ mailbox, name: 'Work' });
  rig.control.createFolder({ mailbox, name: 'Old', parent: work });
  await look();
  const key = rig.box('Work/Old').mailbox;
  rig.control.moveFolder({ mailbox, folder: work, parent: 'deleteditems' });
  expect(told(await look(), rig)).toEqual([
    'upsert mailbox Deleted Items/Work',
    'upsert mailbox Deleted Items/Work/Old',
  ]);
  expect(rig.box('Deleted Items/Work/Old').mailbox).toBe(key);
  rig.control.removeFolder({ mailbox, folder: work });
  expect((await look())[0]?.changes).toMatchObject([
    { data: { op: 'removed' } },
    { data: { op: 'removed', mailbox: key } },
  ]);
  expect(await look()).toEqual([]);
});

it('walks the tree once a day, in case the feed has not all of it', async () => {
  rig = await startRig({ account: { userFolders: true } });
  const walks = () => rig.control.requests().filter(({ path }) => path.endsWith('/childFolders')).length;
  await look();
  const first = walks();
  expect(first).toBeGreaterThan(2);
  rig.control.advance({ ms: DAY });
  expect(told(await look(), rig)).toEqual([]);
  expect(walks()).toBe(2 * first);
});

it('keeps a folder that no list has any more as long as it answers', async () => {
  rig = await startRig();
  await look();
  const unlisted = rig.control
    .folders({ mailbox: rig.mailbox })
    .find(({ parent, name }) => parent === null && name === 'Deletions');
  const cursor = JSON.parse(JSON.stringify(rig.mirror.state.cursors.get(MAILBOXES_SCOPE)));
  const folders = { ...cursor.folders, [unlisted?.id ?? '']: 'told once', gone: 'told once' };
  rig.mirror.rewind(MAILBOXES_SCOPE, { ...cursor, folders });
  const [page] = await look();
  expect(page?.changes.map(({ data }) => data)).toMatchObject([
    { op: 'removed', mailbox: mailboxKey('gone') },
    { op: 'upsert', address: unlisted?.id },
  ]);
});
