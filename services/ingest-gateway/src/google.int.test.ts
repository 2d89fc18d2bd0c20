// Gmail's notifications through a simulated Pub/Sub on a real NATS: pushed with tokens, and pulled.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@mailstream/bus';
import { type AccountRef, type PushTargets, subjects, uuidv7 } from '@mailstream/contracts';
import { readNotificationsConfig } from '@mailstream/providers/webhooks';
import { createLogger, type HttpServer, readEnv } from '@mailstream/runtime';
import { authenticate, createGmailAccount, createNats, type TestNats, tokenOf } from '@mailstream/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createServer } from './server.ts';

const TOKEN = await tokenOf();
const TOPIC = 'projects/demo-project/topics/gmail';
const SENDER = 'push@demo-project.example.com';
const PUSHED = 'projects/demo-project/subscriptions/pushed';
const PULLED = 'projects/demo-project/subscriptions/pulled';
const logger = createLogger('test', 'silent');

type Google = Awaited<ReturnType<typeof createGmailAccount>>;

let nats: TestNats;
let bus: Bus;
let google: Google;
let control: Google['simulator']['control'];
let dir: string;
let env: Record<string, string>;
let running: Running | null = null;

interface Running {
  readonly app: HttpServer;
  stop(): Promise<void>;
}

async function start(more: Record<string, string>): Promise<HttpServer> {
  const { app, receivers } = await createServer({
    bus,
    logger,
    authenticate,
    upstreams: { orchestrator: 'http://127.0.0.1:9', projector: 'http://127.0.0.1:9' },
    notificationsConfig: readNotificationsConfig(readEnv({ ...env, ...more }), null),
  });
  const stopping = new AbortController();
  const all = Promise.all(receivers.map((receiver) => receiver.run(stopping.signal)));
  running = {
    app,
    stop: async () => {
      stopping.abort(new DOMException('over', 'AbortError'));
      await all;
      await app.close();
    },
  };
  return app;
}

beforeAll(async () => {
  [nats, google] = await Promise.all([
    createNats(),
    createGmailAccount({ startAt: Date.now(), realTime: true }),
  ]);
  bus = await connectBus({ url: nats.url, name: 'gateway-test' });
  await bus.ensureTopology();
  const { simulator } = google;
  control = simulator.control;
  control.createTopic({ topic: TOPIC });
  dir = mkdtempSync(join(tmpdir(), 'gateway-'));
  writeFileSync(join(dir, 'key.json'), JSON.stringify(simulator.google.serviceAccount));
  env = {
    GOOGLE_CERTS_URL: `${simulator.google.url}/oauth2/v3/certs`,
    GOOGLE_TOKEN_URL: `${simulator.google.url}/token`,
    PUBSUB_BASE_URL: simulator.pubsub.url,
    GOOGLE_PUBSUB_KEY_FILE: join(dir, 'key.json'),
  };
});
afterEach(async () => {
  control.clearFaults();
  await running?.stop();
  running = null;
});
afterAll(async () => {
  await google.close();
  rmSync(dir, { recursive: true });
  await bus.close();
  await nats.drop();
});

/** A mailbox that tenants have connected, as the orchestrator tells the gateway of it. */
async function watched(...tenants: string[]): Promise<{ address: string; accounts: AccountRef[] }> {
  const address = `${uuidv7()}@example.com`;
  const accounts = tenants.map((tenant) => ({ tenant, account: uuidv7() }));
  const data: PushTargets = { targets: accounts.map((at) => ({ ...at, secretHash: 'a'.repeat(64) })) };
  await bus.publish({ subject: subjects.push('google', address), data });
  return { address, accounts };
}

const publish = (address: string) =>
  control.publish({ topic: TOPIC, data: `{"emailAddress":"${address}","historyId":1}` });
const hintOf = (at: AccountRef | undefined) => at && bus.last('SYNC', subjects.hint(at, 'push'));
const untilHinted = (at: AccountRef | undefined) =>
  expect.poll(() => hintOf(at), { timeout: 10_000 }).not.toBeNull();

async function counted(app: HttpServer, what: string): Promise<number> {
  const { body } = await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${TOKEN}` } });
  const line = body.split('\n').find((one) => one.includes(what));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('a push', () => {
  const outcome = (app: HttpServer, name: string) => counted(app, `provider="google",outcome="${name}"`);

  async function startPushed(): Promise<HttpServer> {
    const app = await start({ GOOGLE_PUSH_SERVICE_ACCOUNT: SENDER, GOOGLE_PUSH_AUDIENCE: 'mailstream' });
    const url = await app.listen({ host: '127.0.0.1', port: 0 });
    control.subscribe({
      subscription: PUSHED,
      topic: TOPIC,
      pushEndpoint: `${url}/v1/webhooks/google`,
      audience: 'mailstream',
      serviceAccountEmail: SENDER,
    });
    return app;
  }
  const settled = () => expect.poll(() => control.pushes().underWay, { timeout: 5_000 }).toBe(0);

  it('is a hint for every tenant that has the mailbox, when it is acknowledged', async () => {
    const app = await startPushed();
    const { address, accounts } = await watched('one', 'two');
    const { acknowledged, failed } = control.pushes();
    publish(address.toUpperCase());
    await settled();
    expect(control.pushes()).toMatchObject({ acknowledged: acknowledged + 1, failed });
    for (const at of accounts) {
      expect(await hintOf(at)).not.toBeNull();
      // What history does not tell yet is looked for once more.
      expect(await bus.last('SYNC', subjects.schedule(at, 'announced'))).not.toBeNull();
    }
    expect(await outcome(app, 'accepted')).toBe(1);
  });

  it.each([
    [
      'of a mailbox nobody knows',
      '{"emailAddress":"nobody@example.com","historyId":1}',
      'unknown_subscription',
    ],
    ['that makes no sense', 'hello', 'unreadable'],
    ['that is empty', '', 'unreadable'],
  ])('%s is acknowledged and counted: it would come again for days', async (_what, data, name) => {
    const app = await startPushed();
    const { acknowledged, failed } = control.pushes();
    control.publish({ topic: TOPIC, data });
    await settled();
    expect(control.pushes()).toMatchObject({ acknowledged: acknowledged + 1, failed });
    expect(await outcome(app, name)).toBe(1);
  });

  it.each([
    ['none', 'token_missing'],
    ['wrong-audience', 'token_audience'],
    ['wrong-email', 'token_sender'],
    ['unverified-email', 'token_sender'],
    ['wrong-issuer', 'token_issuer'],
    ['expired', 'token_expired'],
    ['forged', 'token_invalid'],
    ['unsigned', 'token_invalid'],
  ] as const)('with a token that is bad (%s) is refused, counted, and no hint', async (token, reason) => {
    const app = await startPushed();
    const { address, accounts } = await watched('one');
    const { failed } = control.pushes();
    control.behave({ push: { token } });
    publish(address);
    await settled();
    control.behave({ push: { token: 'good' } });
    expect(control.pushes().failed).toBe(failed + 1);
    expect(await outcome(app, reason)).toBe(1);
    expect(await hintOf(accounts[0])).toBeNull();
  });

  it('from anybody is refused before it is read', async () => {
    const app = await startPushed();
    const bare = await app.inject({ method: 'POST', url: '/v1/webhooks/google', payload: '{"message":[' });
    expect([bare.statusCode, bare.json().error.code]).toEqual([401, 'webhook.refused']);
    expect(await outcome(app, 'unreadable')).toBe(0);
  });

  it('cannot be judged while Google’s keys cannot be read: it comes again', async () => {
    const app = await start({
      GOOGLE_PUSH_SERVICE_ACCOUNT: SENDER,
      GOOGLE_PUSH_AUDIENCE: 'mailstream',
      GOOGLE_CERTS_URL: 'http://127.0.0.1:9/certs',
    });
    const head = Buffer.from('{"alg":"RS256","kid":"k"}').toString('base64url');
    const answer = await app.inject({
      method: 'POST',
      url: '/v1/webhooks/google',
      headers: { authorization: `Bearer ${head}.e30.c2ln` },
      payload: '{}',
    });
    expect([answer.statusCode, answer.json().error.code]).toEqual([503, 'webhook.unproven']);
    expect(await outcome(app, 'keys_unavailable')).toBe(1);
  });
});

describe('a notification that is pulled', () => {
  const startPulling = () => start({ GOOGLE_PUBSUB_SUBSCRIPTION: PULLED });
  const waiting = () => control.unacknowledged({ subscription: PULLED });
  const failures = (app: HttpServer, code: string) =>
    counted(app, `mailstream_notification_pulls_failed_total{provider="google",code="${code}"}`);

  beforeAll(() => control.subscribe({ subscription: PULLED, topic: TOPIC, ackDeadlineSeconds: 1 }));

  it('is a hint for every tenant that has the mailbox, then acknowledged, and so is what makes no sense', async () => {
    const { address, accounts } = await watched('one', 'two');
    const app = await startPulling();
    control.publish({ topic: TOPIC, data: 'hello' });
    publish(address);
    for (const at of accounts) await untilHinted(at);
    await expect.poll(waiting, { timeout: 5_000 }).toBe(0);
    expect(await counted(app, 'provider="google",outcome="unreadable"')).toBe(1);
  });

  it('that was not acknowledged comes again and does no harm', async () => {
    control.fault({ path: ':acknowledge', times: 1, fault: { kind: 'status', status: 503 } });
    const { address, accounts } = await watched('one');
    const app = await startPulling();
    publish(address);
    await untilHinted(accounts[0]);
    await expect.poll(waiting, { timeout: 10_000 }).toBe(0);
    expect(await failures(app, 'pubsub.unavailable')).toBe(1);
    expect(await counted(app, 'provider="google",outcome="accepted"')).toBe(2);
  });

  it.each([
    [401, 'pubsub.auth_rejected'],
    [403, 'pubsub.access_denied'],
    [404, 'pubsub.subscription_missing'],
    [429, 'pubsub.throttled'],
    [500, 'pubsub.unavailable'],
  ])('waits while Pub/Sub answers %i, which is counted as %s', async (status, code) => {
    control.fault({ path: ':pull', times: 1, fault: { kind: 'status', status } });
    const { address, accounts } = await watched('one');
    const app = await startPulling();
    publish(address);
    await untilHinted(accounts[0]);
    expect(await failures(app, code)).toBe(1);
  });

  it('is not acknowledged while NATS is away', async () => {
    const { address, accounts } = await watched('one');
    await nats.kill();
    const app = await startPulling();
    publish(address);
    await expect.poll(() => failures(app, 'gateway.hint_not_stored'), { timeout: 10_000 }).toBeGreaterThan(0);
    expect(waiting()).toBe(1);
    await nats.restart();
    await untilHinted(accounts[0]);
    await expect.poll(waiting, { timeout: 10_000 }).toBe(0);
  });
});
