import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { drain, folderId, IMMUTABLE, startWorld, until, type World } from '../testkit.ts';
import { startReceiver } from './testkit.ts';

describe('moves and delays', () => {
  let world: World;
  let feeds: { readonly inbox: string; readonly drafts: string };
  beforeEach(async () => {
    world = await startWorld({}, { userFolders: false });
    const feed = async (alias: string) =>
      `/me/mailFolders/${await folderId(world, alias)}/messages/delta?$select=isRead`;
    feeds = { inbox: await feed('inbox'), drafts: await feed('drafts') };
  });
  afterEach(() => world.close());

  const move = (id: string, to: string) =>
    world.simulator.control.move({ mailbox: world.mailbox, ids: [id], to });
  const told = (values: readonly { readonly id?: unknown; readonly '@removed'?: unknown }[]) =>
    values.map((entry) => [entry.id, entry['@removed'] ? 'removed' : 'there']);

  test('A9.14 a move keeps an immutable id and is told by both folders, each in its own time', async () => {
    const [id = ''] = world.simulator.control.deliver({ mailbox: world.mailbox });
    const inbox = await drain(world, feeds.inbox);
    const drafts = await drain(world, feeds.drafts);
    move(id, 'drafts');
    expect(told((await drain(world, drafts.deltaLink)).entries)).toEqual([[id, 'there']]);
    expect(told((await drain(world, inbox.deltaLink)).entries)).toEqual([[id, 'removed']]);
  });

  test('A9.14 with lag either folder may be first', async () => {
    const orders = new Set<string>();
    for (let round = 0; round < 12 && orders.size < 2; round++) {
      world.simulator.control.behave({ lagMs: [0, 0] });
      const [id = ''] = world.simulator.control.deliver({ mailbox: world.mailbox });
      let inbox = (await drain(world, feeds.inbox)).deltaLink;
      let drafts = (await drain(world, feeds.drafts)).deltaLink;
      world.simulator.control.behave({ lagMs: [1, 1_000] });
      move(id, 'drafts');
      const order: string[] = [];
      while (order.length < 2) {
        world.simulator.control.advance({ ms: 50 });
        const [left, entered] = [await drain(world, inbox), await drain(world, drafts)];
        [inbox, drafts] = [left.deltaLink, entered.deltaLink];
        if (left.entries.length > 0) order.push('left');
        if (entered.entries.length > 0) order.push('entered');
      }
      orders.add(order.join());
    }
    expect([...orders].sort()).toEqual(['entered,left', 'left,entered']);
  });

  test('A9.14 without the preference a move changes the id', async () => {
    world.simulator.control.deliver({ mailbox: world.mailbox });
    const inbox = await drain(world, feeds.inbox, '');
    const drafts = await drain(world, feeds.drafts, '');
    const before = String(inbox.entries[0]?.id);
    const moved = await world.graph(`/me/messages/${before}/move`, {
      body: { destinationId: 'drafts' },
      prefer: '',
    });
    expect(moved.status).toBe(201);
    expect(moved.body.id).not.toBe(before);
    expect(told((await drain(world, inbox.deltaLink, '')).entries)).toEqual([[before, 'removed']]);
    expect(told((await drain(world, drafts.deltaLink, '')).entries)).toEqual([[moved.body.id, 'there']]);
    expect((await world.graph(`/me/messages/${before}`, { prefer: '' })).status).toBe(404);
  });

  test('A9.15 there and back again is told as a removal, if so wanted', async () => {
    const [id = ''] = world.simulator.control.deliver({ mailbox: world.mailbox });
    const first = await drain(world, feeds.inbox);
    const bounce = () => {
      move(id, 'drafts');
      move(id, 'inbox');
    };
    bounce();
    const second = await drain(world, first.deltaLink);
    expect(told(second.entries)).toEqual([[id, 'there']]);
    world.simulator.control.behave({ delta: { lostReturns: 1 } });
    bounce();
    const third = await drain(world, second.deltaLink);
    expect(told(third.entries)).toEqual([[id, 'removed']]);
    expect((await drain(world, third.deltaLink)).entries).toEqual([]);
    expect((await world.graph(`/me/messages/${id}`, { prefer: IMMUTABLE })).status).toBe(200);
  });

  test('A9.19 a notification may come before its change can be seen', async () => {
    await using receiver = await startReceiver();
    await receiver.subscribe(world);
    const first = await drain(world, feeds.inbox);
    world.simulator.control.behave({ lagMs: [2_000, 2_000] });
    const [id = ''] = world.simulator.control.deliver({ mailbox: world.mailbox });
    await until(() => receiver.items().length > 0);
    expect(receiver.items()[0]).toMatchObject({ changeType: 'created', resourceData: { id } });
    const second = await drain(world, first.deltaLink);
    expect(second.entries).toEqual([]);
    expect((await world.graph(`/me/messages/${id}`)).status).toBe(404);
    expect(told((await drain(world, feeds.inbox)).entries)).toEqual([]);
    world.simulator.control.advance({ ms: 2_000 });
    expect(told((await drain(world, second.deltaLink)).entries)).toEqual([[id, 'there']]);
    expect((await world.graph(`/me/messages/${id}`)).status).toBe(200);
  });
});
