import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startWorld, type World } from '../testkit.ts';

describe('control', () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  const overHttp = (method: string, body: object = {}) =>
    world.graph(world.simulator.graph.url.replace('/v1.0', `/__sim/${method}`), { body });

  test('everything can be done over HTTP too', async () => {
    const created = await overHttp('createMailbox', { address: 'Bo@contoso.example.com', messages: 5 });
    expect(created.body).toMatchObject({ address: 'bo@contoso.example.com' });
    const { control } = world.simulator;
    expect((await overHttp('deliver', { mailbox: 'bo@contoso.example.com', count: 2 })).status).toBe(200);
    expect(control.messages({ mailbox: 'bo@contoso.example.com' })).toHaveLength(7);
    const before = control.now();
    await overHttp('advance', { ms: 1_000 });
    expect(control.now()).toBe(before + 1_000);
    await overHttp('fault', { path: '/mailFolders', times: 1, fault: { kind: 'status', status: 503 } });
    expect((await world.graph('/me/mailFolders')).status).toBe(503);
    expect((await overHttp('deliver', { mailbox: 'nobody@example.com' })).status).toBe(400);
    expect((await overHttp('constructor')).status).toBe(404);
  });

  test('mailboxes of both providers have addresses of their own, and take the same orders', async () => {
    const { control } = world.simulator;
    const mailbox = 'ada@example.com';
    control.createMailbox({ address: mailbox, provider: 'google' });
    for (const provider of ['google', 'microsoft'] as const)
      expect(() => control.createMailbox({ address: mailbox, provider })).toThrow(/already/);
    const url = world.simulator.gmail.url.concat('/__sim/deliver');
    const { text } = await world.graph(url, { body: { mailbox, labels: ['INBOX', 'STARRED'] } });
    const ids: string[] = JSON.parse(text);
    for (const address of [mailbox, world.mailbox]) {
      const own = address === mailbox ? ids : control.deliver({ mailbox: address });
      control.markRead({ mailbox: address, ids: own, read: true });
      control.flag({ mailbox: address, ids: own, flag: 'flagged' });
      control.move({ mailbox: address, ids: own, to: 'archive' });
      const folder = control.createFolder({ mailbox: address, name: 'Mine' });
      control.move({ mailbox: address, ids: own, to: folder });
      expect(control.messages({ mailbox: address, folder })).toMatchObject([{ read: true, flag: 'flagged' }]);
      expect(control.folders({ mailbox: address }).find(({ id }) => id === folder)?.messages).toBe(1);
      control.remove({ mailbox: address, ids: own });
      expect(control.messages({ mailbox: address })).toEqual([]);
    }
    expect(() => control.lifecycle({ mailbox, event: 'missed' })).toThrow(/no Microsoft mailbox/);
    expect(() => control.spending({ mailbox: world.mailbox })).toThrow(/no Gmail mailbox/);
  });

  test('requests are logged with what they were', async () => {
    await world.graph('/me/mailFolders?$top=5');
    await world.graph('/me/messages/none');
    expect(world.simulator.control.requests()).toMatchObject([
      {
        mailbox: world.mailbox,
        method: 'GET',
        path: '/me/mailFolders',
        query: '%24top=5',
        prefer: 'IdType="ImmutableId"',
        inFlight: 1,
        inBatch: false,
        status: 200,
      },
      { path: '/me/messages/none', status: 404 },
    ]);
  });

  test('each broken rule of the contract is named', async () => {
    const { control } = world.simulator;
    await world.graph('/me/mailFolders/inbox/messages/delta');
    control.assertContract();
    await world.graph('/me/mailFolders/inbox/messages/delta?$top=5');
    expect(() => control.assertContract()).toThrow(/\$top on a delta request/);
    control.clearRequests();
    await world.graph('/$batch', { body: { requests: [{ id: '1', method: 'GET', url: '/me/messages' }] } });
    expect(() => control.assertContract()).toThrow(/no Prefer: IdType="ImmutableId" on GET \/me\/messages/);
    control.clearRequests();
    control.throttle({ mailbox: world.mailbox, limits: { concurrency: 0 } });
    await world.graph('/me/mailFolders');
    control.assertContract();
  });

  test('a hundred thousand messages are there in no time, and the first page too', async () => {
    const { control } = world.simulator;
    const started = performance.now();
    control.createMailbox({ address: 'big@contoso.example.com', messages: 100_000 });
    expect(performance.now() - started).toBeLessThan(5_000);
    const token = control.issueToken({ mailbox: 'big@contoso.example.com' });
    const page = await world.graph('/me/mailFolders/inbox/messages/delta', { token });
    expect(page.status).toBe(200);
  });
});
