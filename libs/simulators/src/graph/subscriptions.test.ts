import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { errorOf, startWorld, until, type World } from '../testkit.ts';
import { type Receiver, startReceiver } from './testkit.ts';

const MINUTE = 60_000;

describe('subscriptions', () => {
  let world: World;
  let receiver: Receiver;
  beforeEach(async () => {
    world = await startWorld({}, { userFolders: false });
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await world.close();
    await receiver[Symbol.asyncDispose]();
  });

  const control = () => world.simulator.control;
  const inMinutes = (minutes: number) => new Date(control().now() + minutes * MINUTE).toISOString();
  const patch = (id: unknown, body: object) => world.graph(`/subscriptions/${id}`, { method: 'PATCH', body });

  test('A9.28 both endpoints prove themselves with a token that needs decoding', async () => {
    const created = await receiver.subscribe(world);
    expect(created.status).toBe(201);
    expect(receiver.handshakes()).toHaveLength(2);
    expect(receiver.handshakes()[0]).toMatch(/^\/notify\?validationToken=.*%25.*%2B/);
    expect(receiver.handshakes()[1]).toMatch(/^\/lifecycle\?/);
  });

  test('A9.28 an endpoint that refuses, errs or hangs gets no subscription', async () => {
    receiver.respond(403);
    const refused = await receiver.subscribe(world);
    expect(errorOf(refused)).toEqual({
      code: 'ValidationError',
      message: "Subscription validation request failed. HTTP status code is 'Forbidden'.",
    });
    receiver.respond(201);
    expect(errorOf(await receiver.subscribe(world)).message).toBe(
      'Subscription validation request failed. Notification endpoint must respond with 200 OK to validation request.',
    );
    receiver.respond('hold');
    const slow = receiver.subscribe(world);
    await until(() => receiver.held() === 1);
    control().advance({ ms: 10_000 });
    expect(errorOf(await slow).message).toBe('Subscription validation request timed out.');
  });

  test('A9.28 lifetimes have a floor and a ceiling for each kind', async () => {
    const short = await receiver.subscribe(world, { expirationDateTime: inMinutes(1) });
    expect(short.body.expirationDateTime).toBe(inMinutes(45));
    const change = { changeType: 'created' };
    const tooLong = await receiver.subscribe(world, { ...change, expirationDateTime: inMinutes(10_081) });
    expect(tooLong.status).toBe(400);
    const rich = { ...change, includeResourceData: true, expirationDateTime: inMinutes(1_441) };
    expect((await receiver.subscribe(world, rich)).status).toBe(400);
    expect((await receiver.subscribe(world, { clientState: 'x'.repeat(129) })).status).toBe(400);
  });

  test('A9.28 a second one of its kind is refused', async () => {
    expect((await receiver.subscribe(world)).status).toBe(201);
    expect((await receiver.subscribe(world)).status).toBe(409);
    expect((await receiver.subscribe(world, { changeType: 'created' })).status).toBe(201);
  });

  test('A9.28 renewing, reauthorizing and deleting; expiry ends deliveries', async () => {
    const { body } = await receiver.subscribe(world);
    expect((await patch(body.id, { expirationDateTime: inMinutes(60) })).status).toBe(200);
    expect((await world.graph(`/subscriptions/${body.id}/reauthorize`, { method: 'POST' })).status).toBe(204);
    expect((await patch(body.id, { lifecycleNotificationUrl: receiver.url })).status).toBe(400);
    control().advance({ ms: 61 * MINUTE });
    control().deliver({ mailbox: world.mailbox });
    await until(() => control().deliveries().underWay === 0);
    expect(receiver.items()).toEqual([]);
    expect((await patch(body.id, { expirationDateTime: inMinutes(60) })).status).toBe(404);
    const next = await receiver.subscribe(world);
    expect((await world.graph(`/subscriptions/${next.body.id}`, { method: 'DELETE' })).status).toBe(204);
    expect((await world.graph(`/subscriptions/${next.body.id}`)).status).toBe(404);
  });

  test('A9.29 a move is a creation and a deletion, in the casing of notifications', async () => {
    const { body } = await receiver.subscribe(world);
    const [id = ''] = control().deliver({ mailbox: world.mailbox });
    await until(() => receiver.items().length === 1);
    control().move({ mailbox: world.mailbox, ids: [id], to: 'drafts' });
    control().markRead({ mailbox: world.mailbox, ids: [id], read: true });
    await until(() => receiver.items().length === 4);
    expect(receiver.items().map((item) => item.changeType)).toEqual([
      'created',
      'created',
      'deleted',
      'updated',
    ]);
    const me = (await world.graph('/me')).body.id;
    expect(receiver.items()[0]).toEqual({
      subscriptionId: body.id,
      subscriptionExpirationDateTime: body.expirationDateTime,
      changeType: 'created',
      resource: `Users/${me}/Messages/${id}`,
      resourceData: {
        '@odata.type': '#Microsoft.Graph.Message',
        '@odata.id': `Users/${me}/Messages/${id}`,
        '@odata.etag': expect.stringMatching(/^W\//),
        id,
      },
      clientState: 'secret',
      tenantId: expect.any(String),
    });
  });

  test('A9.29 one POST carries items of several subscriptions; one of a folder is told of that folder', async () => {
    const all = await receiver.subscribe(world, { clientState: 'all' });
    const resource = "/me/mailFolders('drafts')/messages";
    await receiver.subscribe(world, { resource, clientState: 'drafts' });
    control().deliver({ mailbox: world.mailbox });
    control().deliver({ mailbox: world.mailbox, folder: 'drafts' });
    await until(() => receiver.items().length === 3);
    expect(receiver.posts()).toHaveLength(1);
    expect(receiver.items().map((item) => item.clientState)).toEqual(['all', 'all', 'drafts']);
    expect(all.body.resource).toBe('/me/messages');
  });

  test('A9.29 items are doubled, dropped, shuffled and delayed', async () => {
    await receiver.subscribe(world);
    control().behave({ notifications: { duplicates: 1 } });
    control().deliver({ mailbox: world.mailbox });
    await until(() => receiver.items().length === 2);
    control().behave({ notifications: { duplicates: 0, drops: 1 } });
    control().deliver({ mailbox: world.mailbox });
    await until(() => control().deliveries().underWay === 0);
    expect(receiver.items()).toHaveLength(2);

    control().behave({ notifications: { drops: 0, reorders: 1, delayMs: [1_000, 1_000] } });
    const ids = control().deliver({ mailbox: world.mailbox, count: 20 });
    await until(() => control().deliveries().underWay === 0);
    expect(receiver.items()).toHaveLength(2);
    control().advance({ ms: 2_000 });
    await until(() => receiver.items().length === 22);
    const told = receiver
      .items()
      .slice(2)
      .map((item) => String(item.resource).split('/').at(-1));
    expect(told).not.toEqual(ids);
    expect(told.toSorted()).toEqual(ids.toSorted());
  });

  test('A9.29 a failed delivery comes again, later each time, for four hours', async () => {
    await receiver.subscribe(world);
    receiver.respond(500);
    control().deliver({ mailbox: world.mailbox });
    await until(() => control().deliveries().failed === 1);
    const pauses: number[] = [];
    for (let pause = 5_000; control().deliveries().lost === 0; pause *= 2) {
      control().advance({ ms: pause - 1 });
      expect(control().deliveries().underWay).toBe(0);
      control().advance({ ms: 1 });
      pauses.push(pause);
      await until(() => control().deliveries().failed === pauses.length + 1);
    }
    expect(pauses.reduce((sum, pause) => sum + pause, 0)).toBeLessThan(4 * 60 * MINUTE);
    const { length } = receiver.posts();
    expect(length).toBe(12);
    control().advance({ ms: 24 * 60 * MINUTE });
    expect(control().deliveries().underWay).toBe(0);
    expect(receiver.posts()).toHaveLength(length);
  });

  test('A9.29 an answer after three seconds counts as none; a slow endpoint waits, a very slow one loses', async () => {
    await receiver.subscribe(world);
    control().behave({ notifications: { retryForMs: 0 } });
    const answerAfter = async (ms: number) => {
      receiver.respond('hold');
      control().deliver({ mailbox: world.mailbox });
      await until(() => receiver.held() === 1);
      control().advance({ ms });
      receiver.release();
      await until(() => control().deliveries().underWay === 0);
      receiver.respond(202);
    };
    const answerAtOnce = async (count: number) => {
      for (let answered = 0; answered < count; answered++) {
        const { delivered } = control().deliveries();
        control().deliver({ mailbox: world.mailbox });
        await until(() => control().deliveries().delivered === delivered + 1);
      }
    };
    await answerAtOnce(8);
    await answerAfter(4_000);
    expect(control().deliveries()).toMatchObject({ delivered: 8, failed: 1 });
    expect(control().endpointState({ url: receiver.url })).toBe('healthy');
    await answerAfter(4_000);
    expect(control().endpointState({ url: receiver.url })).toBe('slow');

    const posts = receiver.posts().length;
    control().deliver({ mailbox: world.mailbox });
    await until(() => control().deliveries().underWay === 0);
    expect(receiver.posts()).toHaveLength(posts);
    control().advance({ ms: 10 * MINUTE });
    await until(() => receiver.posts().length === posts + 1);
    await until(() => control().deliveries().underWay === 0);

    control().advance({ ms: 20 * MINUTE });
    await answerAtOnce(8);
    await answerAfter(10_000);
    receiver.release();
    await answerAfter(10_000);
    expect(control().endpointState({ url: receiver.url })).toBe('drop');
    const { lost } = control().deliveries();
    control().deliver({ mailbox: world.mailbox });
    await until(() => control().deliveries().lost === lost + 1);
    control().advance({ ms: 10 * MINUTE });
    expect(control().endpointState({ url: receiver.url })).toBe('healthy');
  });

  test('A9.30 lifecycle events on demand; a removed subscription is gone', async () => {
    const { body } = await receiver.subscribe(world);
    for (const event of ['missed', 'reauthorizationRequired', 'subscriptionRemoved'] as const) {
      control().lifecycle({ mailbox: world.mailbox, event });
      await until(() => receiver.lifecycles().at(-1)?.lifecycleEvent === event);
    }
    expect(receiver.lifecycles()[0]).toEqual({
      subscriptionId: body.id,
      subscriptionExpirationDateTime: body.expirationDateTime,
      tenantId: expect.any(String),
      organizationId: expect.any(String),
      clientState: 'secret',
      lifecycleEvent: 'missed',
    });
    expect((await patch(body.id, { expirationDateTime: inMinutes(60) })).status).toBe(404);
  });

  test('A9.31 many moves at once are not notified, only that something was missed', async () => {
    await receiver.subscribe(world);
    const ids = control().deliver({ mailbox: world.mailbox, count: 26 });
    await until(() => receiver.items().length === 26);
    control().move({ mailbox: world.mailbox, ids, to: 'drafts' });
    await until(() => receiver.lifecycles().length === 1);
    expect(receiver.lifecycles()[0]).toMatchObject({ lifecycleEvent: 'missed' });
    expect(receiver.items()).toHaveLength(26);
    control().move({ mailbox: world.mailbox, ids: ids.slice(1), to: 'inbox' });
    await until(() => receiver.items().length === 26 + 50);
  });
});
