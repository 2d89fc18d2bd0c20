import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { BehaviourChange } from '../behaviour.ts';
import { drain, entries, errorOf, folderId, IMMUTABLE, startWorld, type World } from '../testkit.ts';

describe('message delta', () => {
  let world: World;
  let inbox: string;
  let feed: string;
  beforeEach(async () => {
    world = await startWorld({}, { userFolders: false });
    inbox = await folderId(world, 'inbox');
    feed = `/me/mailFolders/${inbox}/messages/delta`;
  });
  afterEach(() => world.close());

  const deliver = (count: number) => world.simulator.control.deliver({ mailbox: world.mailbox, count });
  const behave = (change: BehaviourChange) => world.simulator.control.behave(change);
  const ids = (values: readonly { readonly id?: unknown }[]) => values.map((value) => value.id);
  const removed = (id: string | undefined, reason = 'deleted') => ({
    '@odata.type': '#microsoft.graph.message',
    id,
    '@removed': { reason },
  });

  test('A9.5 there is none of a whole mailbox', async () => {
    const answer = await world.graph('/me/messages/delta');
    expect(answer.status).toBe(400);
    expect(errorOf(answer).message).toBe(
      "Unsupported request: Change tracking is not supported against 'microsoft.graph.message'.",
    );
  });

  test('A9.6 pages have ten entries or as many as each request prefers', async () => {
    deliver(30);
    const first = await world.graph(feed);
    expect(entries(first)).toHaveLength(10);
    const prefer = `${IMMUTABLE}, odata.maxpagesize=15`;
    const second = await world.graph(String(first.body['@odata.nextLink']), { prefer });
    expect(entries(second)).toHaveLength(15);
    const third = await world.graph(String(second.body['@odata.nextLink']));
    expect(entries(third)).toHaveLength(5);
    expect(third.body['@odata.deltaLink']).toBeDefined();
  });

  test('A9.6 a consumer mailbox chooses its page size itself', async () => {
    const { control } = world.simulator;
    const { address: mailbox } = control.createMailbox({
      address: 'bo@outlook.example.com',
      kind: 'consumer',
    });
    control.deliver({ mailbox, count: 12 });
    const token = control.issueToken({ mailbox });
    expect(token).not.toContain('.');
    const page = await world.graph('/me/mailFolders/inbox/messages/delta', {
      token,
      prefer: 'odata.maxpagesize=100',
    });
    expect(entries(page)).toHaveLength(10);
  });

  test('A9.7 $top ends the whole round early, or is refused', async () => {
    deliver(30);
    expect((await drain(world, `${feed}?$top=12`)).entries).toHaveLength(12);
    behave({ delta: { top: 'reject' } });
    expect((await world.graph(`${feed}?$top=12`)).status).toBe(400);
  });

  test('A9.8 $select is baked into the token, later options are ignored', async () => {
    deliver(12);
    const first = await world.graph(`${feed}?$select=subject`);
    const next = await world.graph(`${first.body['@odata.nextLink']}&$select=subject,isRead`);
    const [entry = {}] = entries(next);
    expect(Object.keys(entry).sort()).toEqual(['@odata.etag', '@odata.type', 'id', 'subject']);
    const deltaLink = String(next.body['@odata.deltaLink']);
    deliver(1);
    expect(Object.keys(entries(await world.graph(deltaLink))[0] ?? {})).toEqual(Object.keys(entry));
  });

  test('A9.9 filters by time of receipt only, and then gives 5,000 messages at most', async () => {
    expect((await world.graph(`${feed}?$filter=isRead eq false`)).status).toBe(400);
    const old = deliver(1);
    world.simulator.control.advance({ ms: 60_000 });
    deliver(5_001);
    const since = new Date(world.simulator.control.now()).toISOString();
    const filtered = `${feed}?$select=isRead&$filter=receivedDateTime ge ${since}`;
    const round = await drain(world, filtered, `${IMMUTABLE}, odata.maxpagesize=1000`);
    expect(round.entries).toHaveLength(5_000);
    expect(ids(round.entries)).not.toContain(old[0]);
  });

  test('A9.9 gives the newest first when asked to, and knows no other order', async () => {
    const ids = deliver(12);
    const newest = await drain(world, `${feed}?$select=id&$orderby=receivedDateTime desc`);
    expect(newest.entries.map(({ id }) => id)).toEqual(ids.toReversed());
    for (const order of ['receivedDateTime asc', 'subject'])
      expect((await world.graph(`${feed}?$orderby=${order}`)).status).toBe(400);
  });

  test('A9.10 links are absolute, their tokens opaque and new each time', async () => {
    deliver(11);
    const first = await world.graph(feed);
    const next = String(first.body['@odata.nextLink']);
    expect(next.startsWith(world.simulator.graph.url)).toBe(true);
    expect(next).toMatch(/[?]\$skiptoken=[\w-]+%2B[\w.-]+$/);
    for (const character of ['%2B', '-', '_', '.']) expect(next.split('$skiptoken=')[1]).toContain(character);
    const last = await world.graph(next);
    expect(last.body['@odata.deltaLink']).toContain('$deltatoken=');
    behave({ delta: { deltaLinkParameter: '$skiptoken' } });
    expect((await world.graph(next)).body['@odata.deltaLink']).toContain('$skiptoken=');
  });

  test('A9.11 a page may be empty and go on; a round without changes ends in a new link', async () => {
    deliver(3);
    behave({ delta: { emptyPages: 1 } });
    const round = await drain(world, feed);
    expect(round.pages.map((page) => entries(page).length)).toEqual([0, 3]);
    behave({ delta: { emptyPages: 0 } });
    const quiet = await drain(world, round.deltaLink);
    expect(quiet.entries).toEqual([]);
    expect(quiet.deltaLink).not.toBe(round.deltaLink);
  });

  test('A9.12 reading is told in part, and only who selected it is told', async () => {
    const [id = ''] = deliver(1);
    const withRead = await drain(world, `${feed}?$select=subject,isRead`);
    const without = await drain(world, `${feed}?$select=subject`);
    const before = (await world.graph(`/me/messages/${id}`)).body;
    world.simulator.control.advance({ ms: 5_000 });
    world.simulator.control.markRead({ mailbox: world.mailbox, ids: [id], read: true });
    expect((await drain(world, withRead.deltaLink)).entries).toEqual([
      { '@odata.type': '#microsoft.graph.message', id, isRead: true, parentFolderId: inbox },
    ]);
    expect((await drain(world, without.deltaLink)).entries).toEqual([]);
    expect((await world.graph(`/me/messages/${id}`)).body).toEqual({ ...before, isRead: true });
  });

  test('A9.12 flags and categories are told in full, with a new change key', async () => {
    const [id = ''] = deliver(1);
    const first = await drain(world, feed);
    world.simulator.control.flag({ mailbox: world.mailbox, ids: [id], flag: 'flagged' });
    const second = await drain(world, first.deltaLink);
    expect(second.entries).toEqual([
      { ...first.entries[0], ...second.entries[0], flag: { flagStatus: 'flagged' } },
    ]);
    expect(second.entries[0]?.changeKey).not.toBe(first.entries[0]?.changeKey);
    expect(second.entries[0]?.['@odata.etag']).toBe(`W/"${second.entries[0]?.changeKey}"`);
    world.simulator.control.categorise({ mailbox: world.mailbox, ids: [id], categories: ['Blue'] });
    expect((await drain(world, second.deltaLink)).entries[0]).toMatchObject({ id, categories: ['Blue'] });
  });

  test('A9.13 what is gone is removed, for one reason or the other', async () => {
    const [one = '', two = ''] = deliver(2);
    const first = await drain(world, feed);
    world.simulator.control.remove({ mailbox: world.mailbox, ids: [one] });
    const second = await drain(world, first.deltaLink);
    expect(second.entries).toEqual([removed(one)]);
    behave({ delta: { changedReasons: 1 } });
    world.simulator.control.remove({ mailbox: world.mailbox, ids: [two] });
    expect((await drain(world, second.deltaLink)).entries).toEqual([removed(two, 'changed')]);
  });

  test('A9.13 a first round may remove what is elsewhere', async () => {
    const [elsewhere] = world.simulator.control.deliver({ mailbox: world.mailbox, folder: 'drafts' });
    const here = deliver(1);
    behave({ delta: { initialRemovals: 1 } });
    expect(ids((await drain(world, feed)).entries)).toEqual([elsewhere, ...here]);
  });

  test('A9.13 entries come twice, and old states come again', async () => {
    const [id = ''] = deliver(1);
    behave({ delta: { duplicates: 1 } });
    const first = await drain(world, feed);
    world.simulator.control.markRead({ mailbox: world.mailbox, ids: [id], read: true });
    const second = await drain(world, first.deltaLink);
    expect(second.entries.map((entry) => entry.isRead)).toEqual([true, true]);
    behave({ delta: { duplicates: 0, replays: 1 } });
    world.simulator.control.markRead({ mailbox: world.mailbox, ids: [id], read: false });
    const third = await drain(world, second.deltaLink);
    expect(third.entries.map((entry) => entry.isRead)).toEqual([true, false, false]);
    expect(third.entries[2]).toHaveProperty('subject');
  });

  test('A9.16 only the last four tokens of a line live', async () => {
    deliver(50);
    const links = [feed];
    for (let page = 0; page < 5; page++)
      links.push(
        String(
          (await world.graph(links.at(-1) ?? '')).body[page < 4 ? '@odata.nextLink' : '@odata.deltaLink'],
        ),
      );
    const gone = await world.graph(links[1] ?? '');
    expect(gone.status).toBe(410);
    expect(gone.headers.location).toBeUndefined();
    expect(errorOf(gone)).toEqual({
      code: 'SyncStateNotFound',
      message: 'The sync state generation is not found; generation=1;[highest=5][5][4][3][2].',
    });
    expect((await world.graph(links[2] ?? '')).status).toBe(200);
    behave({ delta: { locationOn410: true } });
    const location = String((await world.graph(links[1] ?? '')).headers.location);
    expect(entries(await world.graph(location))).toHaveLength(10);
  });

  test('A9.17 tokens that are corrupt or of another feed are refused', async () => {
    deliver(1);
    const { deltaLink } = await drain(world, feed);
    for (const link of [
      `${deltaLink}x`,
      deltaLink.replace('%2B', '+'),
      deltaLink.replace(inbox, await folderId(world, 'drafts')),
      `${feed}?$deltatoken=latest`,
    ]) {
      const answer = await world.graph(link);
      expect(answer.status).toBe(400);
      expect(errorOf(answer)).toEqual({ code: 'BadRequest', message: 'Badly formed token.' });
    }
    const other = world.simulator.control.createMailbox({ address: 'bo@contoso.example.com' });
    const token = world.simulator.control.issueToken({ mailbox: other.address });
    expect((await world.graph(deltaLink, { token })).status).toBeGreaterThanOrEqual(400);
  });

  test('A9.18 all cursors of a mailbox can be expired', async () => {
    const { deltaLink } = await drain(world, feed);
    const folders = await drain(world, '/me/mailFolders/delta');
    world.simulator.control.expireCursors({ mailbox: world.mailbox });
    expect((await world.graph(deltaLink)).status).toBe(410);
    expect((await world.graph(folders.deltaLink)).status).toBe(410);
    expect((await drain(world, feed)).entries).toEqual([]);
  });
});
