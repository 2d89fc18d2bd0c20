// Notifications of a provider on a real NATS: what is taken, what is dropped, and what an answer promises.
import { hash } from 'node:crypto';
import { type Bus, connectBus } from '@mailstream/bus';
import { type AccountRef, type PushTargets, subjects, uuidv7 } from '@mailstream/contracts';
import { readNotificationsConfig } from '@mailstream/providers/webhooks';
import { createLogger, type HttpServer, readEnv } from '@mailstream/runtime';
import { authenticate, createNats, type TestNats, tokenOf } from '@mailstream/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createServer, type ServerDeps } from './server.ts';

const SECRET = 'client-state-1';
const PATH = '/v1/webhooks/microsoft';
/** Nobody listens on port 9 of the loopback interface. */
const upstreams = { orchestrator: 'http://127.0.0.1:9', projector: 'http://127.0.0.1:9' };

let nats: TestNats;
let bus: Bus;
let gateway: HttpServer;

const notificationsConfig = readNotificationsConfig(readEnv({}), null);

const startGateway = async (on: ServerDeps['bus']) =>
  (
    await createServer({
      bus: on,
      logger: createLogger('test', 'silent'),
      authenticate,
      upstreams,
      notificationsConfig,
    })
  ).app;

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'gateway-test' });
  await bus.ensureTopology();
});

beforeEach(async () => {
  gateway = await startGateway(bus);
  return () => gateway.close();
});

afterAll(async () => {
  await bus?.close();
  await nats?.drop();
});

/** An account with a subscription, as the orchestrator tells the gateway of it. */
async function subscribed(on = bus): Promise<{ at: AccountRef; subscriptionId: string }> {
  const at = { tenant: 'default', account: uuidv7() };
  const subscriptionId = `${uuidv7()}/with.*> anything`;
  const data: PushTargets = { targets: [{ ...at, secretHash: hash('sha256', SECRET) }] };
  await on.publish({ subject: subjects.push('microsoft', subscriptionId), data });
  return { at, subscriptionId };
}

const notify = (value: unknown, path = PATH, to = gateway) =>
  to.inject({ method: 'POST', url: path, headers: JSON_BODY, payload: JSON.stringify({ value }) });
const JSON_BODY = { 'content-type': 'application/json; charset=utf-8' };

const item = (subscriptionId: string, over: object = {}) => ({
  subscriptionId,
  clientState: SECRET,
  changeType: 'created',
  resource: 'Users/u/Messages/m',
  ...over,
});

const hintOf = (at: AccountRef, reason: 'push' | 'user') => bus.last('SYNC', subjects.hint(at, reason));

async function counted(outcome: string): Promise<number> {
  const headers = { authorization: `Bearer ${await tokenOf()}` };
  const { body } = await gateway.inject({ url: '/metrics', headers });
  const line = body.split('\n').find((one) => one.includes(`outcome="${outcome}"`));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('the question whether we are there', () => {
  it.each([PATH, `${PATH}/lifecycle`])('is answered with its text, decoded, at %s', async (path) => {
    const text = 'Validation: Testing reachability 100% for Request-Id: 1+2/=&é <b>';
    const answer = await gateway.inject({
      method: 'POST',
      url: `${path}?validationToken=${encodeURIComponent(text).replaceAll('%20', '+')}`,
      headers: { 'content-type': 'text/plain; charset=utf-8' },
    });
    expect(answer.statusCode).toBe(200);
    expect(answer.headers['content-type']).toBe('text/plain; charset=utf-8');
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.body).toBe(text);
  });

  it('is refused when it is long, or several', async () => {
    const long = await gateway.inject({
      method: 'POST',
      url: `${PATH}?validationToken=${'x'.repeat(2_049)}`,
    });
    expect(long.statusCode).toBe(400);
    const two = await gateway.inject({ method: 'POST', url: `${PATH}?validationToken=a&validationToken=b` });
    expect(two.statusCode).toBe(400);
  });
});

describe('a notification', () => {
  it('is a hint in the log when it is answered, without an API token', async () => {
    const { at, subscriptionId } = await subscribed();
    const answer = await notify([item(subscriptionId)]);
    expect(answer.statusCode).toBe(202);
    expect(answer.body).toBe('');
    expect(await hintOf(at, 'push')).not.toBeNull();
    expect(await counted('accepted')).toBe(1);
  });

  it('of several accounts in one request reaches each, once', async () => {
    const [one, two] = [await subscribed(), await subscribed()];
    const before = await bus.state('SYNC');
    const items = [one, two, one, two, one].map(({ subscriptionId }) => item(subscriptionId));
    expect((await notify(items)).statusCode).toBe(202);
    expect((await bus.state('SYNC')).last - before.last).toBe(2n);
    expect(await hintOf(one.at, 'push')).not.toBeNull();
    expect(await hintOf(two.at, 'push')).not.toBeNull();
  });

  it('that comes two hundred times at once is stored a few times', async () => {
    const { subscriptionId } = await subscribed();
    const before = await bus.state('SYNC');
    const answers = await Promise.all(Array.from({ length: 200 }, () => notify([item(subscriptionId)])));
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([202]));
    expect((await bus.state('SYNC')).last - before.last).toBeLessThan(100n);
  });

  it('of each of two hundred accounts at once is stored, and its answer comes after', async () => {
    const all = await Promise.all(Array.from({ length: 200 }, () => subscribed()));
    const found = await Promise.all(
      all.map(async ({ at, subscriptionId }) => {
        const { statusCode } = await notify([item(subscriptionId)]);
        return statusCode === 202 && (await hintOf(at, 'push')) !== null;
      }),
    );
    expect(found.every(Boolean)).toBe(true);
  });

  it.each([
    ['with another secret', { clientState: 'client-state-2' }, 'wrong_secret'],
    ['with a longer secret', { clientState: `${SECRET}.` }, 'wrong_secret'],
    ['without a secret', { clientState: null }, 'unreadable'],
    ['of a subscription nobody knows', { subscriptionId: uuidv7() }, 'unknown_subscription'],
    ['about something unknown', { lifecycleEvent: 'whim' }, 'unreadable'],
  ])('%s is dropped and counted, and looks accepted', async (_what, over, outcome) => {
    const { at, subscriptionId } = await subscribed();
    const good = await subscribed();
    const answer = await notify([item(subscriptionId, over), item(good.subscriptionId)]);
    expect(answer.statusCode).toBe(202);
    expect(await hintOf(at, 'push')).toBeNull();
    expect(await hintOf(good.at, 'push')).not.toBeNull();
    expect(await counted(outcome)).toBe(1);
  });

  it('is taken from a subscription that was not there a moment ago', async () => {
    const at = { tenant: 'default', account: uuidv7() };
    const subscriptionId = uuidv7();
    await notify([item(subscriptionId)]);
    const data: PushTargets = { targets: [{ ...at, secretHash: hash('sha256', SECRET) }] };
    await bus.publish({ subject: subjects.push('microsoft', subscriptionId), data });
    await expect
      .poll(() => notify([item(subscriptionId)]).then(() => hintOf(at, 'push')), { timeout: 5_000 })
      .not.toBeNull();
  });
});

describe('a notification about the subscription', () => {
  const lifecycle = (subscriptionId: string, lifecycleEvent: string) =>
    notify([item(subscriptionId, { lifecycleEvent })], `${PATH}/lifecycle`);

  it('that others were lost makes all be looked at', async () => {
    const { at, subscriptionId } = await subscribed();
    expect((await lifecycle(subscriptionId, 'missed')).statusCode).toBe(202);
    expect(await hintOf(at, 'user')).not.toBeNull();
  });

  it.each(['subscriptionRemoved', 'reauthorizationRequired'])('%s is told to who keeps it', async (event) => {
    const { at, subscriptionId } = await subscribed();
    expect((await lifecycle(subscriptionId, event)).statusCode).toBe(202);
    expect(await bus.last('SYNC', subjects.subscription(at, 'renew'))).not.toBeNull();
    expect(await hintOf(at, 'push')).toBeNull();
  });
});

describe('a request that is no list of notifications', () => {
  it.each([
    ['broken JSON', '{"value":['],
    ['nothing', ''],
    ['another shape', '{"values":[]}'],
    ['a list of too many', JSON.stringify({ value: Array.from({ length: 1_001 }, () => ({})) })],
  ])('with %s is refused', async (_what, payload) => {
    const answer = await gateway.inject({ method: 'POST', url: PATH, headers: JSON_BODY, payload });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error.code).toBe('webhook.invalid');
  });

  it('with more than a mebibyte is not read', async () => {
    const payload = JSON.stringify({ value: [{ filler: 'x'.repeat(1_100_000) }] });
    const answer = await gateway.inject({ method: 'POST', url: PATH, headers: JSON_BODY, payload });
    expect(answer.statusCode).toBe(413);
  });
});

it('is told to come again while NATS is away, and taken when it is back', async () => {
  const own = await createNats();
  const connection = await connectBus({ url: own.url, name: 'gateway-test' });
  const app = await startGateway(connection);
  try {
    await connection.ensureTopology();
    const { at, subscriptionId } = await subscribed(connection);
    expect((await notify([item(subscriptionId)], PATH, app)).statusCode).toBe(202);
    await own.kill();
    const down = await notify([item(subscriptionId)], PATH, app);
    expect(down.statusCode).toBe(503);
    expect(down.json().error.code).toBe('gateway.hint_not_stored');
    await own.restart();
    await expect.poll(() => connection.connected(), { timeout: 10_000 }).toBe(true);
    await connection.purge('SYNC', subjects.hint(at, 'push'));
    expect((await notify([item(subscriptionId)], PATH, app)).statusCode).toBe(202);
    expect(await connection.last('SYNC', subjects.hint(at, 'push'))).not.toBeNull();
  } finally {
    await app.close();
    await connection.close();
    await own.drop();
  }
});

it('the counters are shown to operators only', async () => {
  expect((await gateway.inject('/metrics')).statusCode).toBe(401);
});
