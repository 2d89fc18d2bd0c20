// Subscriptions on a real NATS and PostgreSQL: what is asked of fetchers, what the gateway is told, and what is made good.
import { type Bus, connectBus } from '@mailstream/bus';
import {
  type Account,
  type AccountRef,
  type Finding,
  hashToken,
  type PushTarget,
  type PushTargets,
  type SubscriptionJob,
  type SubscriptionReport,
  subjects,
} from '@mailstream/contracts';
import type { Database, Db } from '@mailstream/db';
import type { Provider } from '@mailstream/providers';
import { createHttpServer, createLogger, createMetrics, type HttpServer } from '@mailstream/runtime';
import {
  authenticate,
  createDatabase,
  createNats,
  type TestDatabase,
  type TestNats,
  tokenOf,
} from '@mailstream/testing';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createLocalKeys } from '../credentials/local-keys.ts';
import { createVault } from '../credentials/vault.ts';
import { createOrchestrator } from '../orchestrator.ts';
import { openOrchestratorDatabase } from '../testkit.ts';
import { createSubscriptionKeeper } from './keeper.ts';
import { countLapsing } from './rows.ts';

const logger = createLogger('test', 'silent');
const LIMITS = { inFlight: 3, pollMs: 60_000, deepPollMs: 900_000, lostMs: 600_000, backPressureMs: 1_000 };
const DAY = 86_400_000;
const HASH = 'a'.repeat(64);
const URL_1 = 'https://mail.example.com';

/** Whoever would ask it is not here: this is about what the orchestrator wants asked. */
const provider: Provider = {
  name: 'dove',
  push: 'webhook',
  scope: 'mailbox',
  settings: Type.Object({}),
  credential: Type.Object({}),
  describe: () => 'a mailbox',
  connect: () => Promise.reject(new Error('nobody connects here')),
};

/** One that has one subscription of a mailbox, whoever connected it, and tells by way of something else. */
const relayed: Provider = {
  ...provider,
  name: 'pigeon',
  relay: { address: 'loft-1', missing: 'there is no loft' },
  settings: Type.Object({ mailbox: Type.String() }),
  sharedSubscription: (settings) =>
    typeof settings === 'object' && settings && 'mailbox' in settings ? String(settings.mailbox) : null,
};

let nats: TestNats;
let database: TestDatabase;
let bus: Bus;
let opened: Database;
let db: Db;
let running: Running;

interface Running {
  readonly app: HttpServer;
  stop(): Promise<void>;
}

async function backlog(): Promise<number> {
  const { waiting, held } = await bus.queue('SYNC', 'orchestrator-subscriptions');
  return waiting + held;
}

async function startOrchestrator(publicUrl: string | null): Promise<Running> {
  const metrics = createMetrics();
  const app = await createHttpServer({
    title: 'test',
    logger,
    authenticate,
    ready: () => true,
    metrics,
  });
  const stop = new AbortController();
  const connect = { url: 'http://localhost:8080', returnOrigins: [] };
  const config = {
    limits: LIMITS,
    maxLag: 20_000,
    sweepMs: 100,
    privateHosts: 'everywhere' as const,
    auditDays: 30,
    publicUrl,
    connect,
  };
  const vault = createVault(createLocalKeys(async () => [{ id: 'first', key: Buffer.alloc(32, 7) }]));
  const parts = createOrchestrator({
    bus,
    db,
    tenants: opened.tenants,
    vault,
    app,
    logger,
    metrics,
    providers: [provider, relayed],
    config,
  });
  const all = Promise.all(parts.map((part) => part.run(stop.signal)));
  return {
    app,
    stop: async () => {
      stop.abort(new DOMException('over', 'AbortError'));
      await all;
      await app.close();
    },
  };
}

beforeAll(async () => {
  [nats, database] = await Promise.all([createNats(), createDatabase()]);
  opened = await openOrchestratorDatabase(database.url);
  db = opened.db;
  bus = await connectBus({ url: nats.url, name: 'test', logger });
  await bus.ensureTopology();
  running = await startOrchestrator(URL_1);
});
afterAll(async () => {
  await running.stop();
  await bus.close();
  await opened.close();
  await Promise.all([nats.drop(), database.drop()]);
});

/** A busy machine must not turn slow into wrong. */
const waitFor = <T>(condition: () => Promise<T>): Promise<T> => vi.waitFor(condition, { timeout: 30_000 });

const headers = { authorization: `Bearer ${await tokenOf()}` };

async function add(): Promise<AccountRef> {
  const payload = { provider: 'dove', settings: {}, credential: {} };
  const answer = await running.app.inject({ method: 'POST', url: '/v1/accounts', headers, payload });
  expect(answer.statusCode).toBe(201);
  return { tenant: 'default', account: answer.json<Account>().id };
}

const webhookOf = async ({ account }: AccountRef) =>
  (await running.app.inject({ url: `/v1/accounts/${account}`, headers })).json<Account>().webhook;

const read = async <T>(stream: 'FETCH' | 'PUSH', subject: string): Promise<T | null> => {
  const stored = await bus.last(stream, subject);
  return stored && JSON.parse(new TextDecoder().decode(stored.data));
};
const keepSubject = ({ account }: AccountRef) => subjects.subscriptionJob('dove', account, 'keep');
const targetsOf = (id: string) => read<PushTargets>('PUSH', subjects.push('dove', id));
const targetOf = async (id: string): Promise<PushTarget | null> => (await targetsOf(id))?.targets[0] ?? null;

/** Does the job as a fetcher would: off the queue, then the report. */
async function fetched(at: AccountRef, report: SubscriptionReport): Promise<SubscriptionJob> {
  const job = await waitFor(async () => {
    const waiting = await read<SubscriptionJob>('FETCH', keepSubject(at));
    if (!waiting) throw new Error('nothing is asked yet');
    return waiting;
  });
  await bus.purge('FETCH', keepSubject(at));
  await bus.publish({ subject: subjects.subscription(at, 'reported'), data: report });
  return job;
}

const made = (id: string, over: object = {}): SubscriptionReport => ({
  ok: true,
  id,
  secretHash: HASH,
  notificationUrl: `${URL_1}/v1/webhooks/dove`,
  expiresAt: new Date(Date.now() + 6 * DAY).toISOString(),
  ...over,
});

async function subscribed(id: string): Promise<AccountRef> {
  const at = await add();
  await fetched(at, made(id));
  await waitFor(async () => expect(await targetOf(id)).not.toBeNull());
  return at;
}

const say = (at: AccountRef, event: 'due' | 'renew') =>
  bus.publish({ subject: subjects.subscription(at, event), data: {} });

const credentialOf = ({ account }: AccountRef) =>
  db.query('SELECT account FROM control.credential WHERE account = $1', [account]);

/** Removes an account and ends its subscription as a fetcher would. */
async function removeSubscribed(at: AccountRef): Promise<void> {
  const removing = running.app.inject({ method: 'DELETE', url: `/v1/accounts/${at.account}`, headers });
  const subject = subjects.subscriptionJob('dove', at.account, 'end');
  await waitFor(async () => expect(await bus.last('FETCH', subject)).not.toBeNull());
  await bus.purge('FETCH', subject);
  expect((await removing).statusCode).toBe(202);
  await waitFor(async () => expect(await credentialOf(at)).toEqual([]));
}

/** When the provider is asked next. */
async function dueIn({ account }: AccountRef): Promise<number> {
  const [row] = await db.query<{ due: Date }>(
    'SELECT due_at AS due FROM control.subscription WHERE account = $1',
    [account],
  );
  return (row?.due.getTime() ?? Number.NaN) - Date.now();
}

describe('an account that is added', () => {
  it('is subscribed; the gateway is told, it is looked at, and a schedule will renew it', async () => {
    const at = await add();
    expect(await webhookOf(at)).toEqual({ until: null, reason: expect.stringContaining('has not answered') });
    const job = await fetched(at, made('s-1'));
    expect(job).toMatchObject({
      ...at,
      end: null,
      keep: { known: null, notificationUrl: `${URL_1}/v1/webhooks/dove` },
    });
    await waitFor(async () => expect(await targetOf('s-1')).toEqual({ ...at, secretHash: HASH }));
    await waitFor(async () =>
      expect(await webhookOf(at)).toEqual({ until: expect.any(String), reason: null }),
    );
    expect(await bus.last('SYNC', subjects.schedule(at, 'subscription'))).not.toBeNull();
    expect(await dueIn(at)).toBeGreaterThan(2.6 * DAY);
    expect(await dueIn(at)).toBeLessThan(3.4 * DAY);
  });

  it('says why it is not', async () => {
    const at = await add();
    const message = 'nobody answers at https://mail.example.com';
    await fetched(at, {
      ok: false,
      failure: 'permanent',
      code: 'graph.unreachable',
      message,
      retryAfterMs: null,
    });
    await waitFor(async () => expect(await webhookOf(at)).toEqual({ until: null, reason: message }));
    const doctor = await running.app.inject({ url: '/v1/doctor', headers });
    expect(doctor.body).toContain(message);
  });
});

describe('a subscription that accounts have together', () => {
  const job = (mailbox: string, verb: 'keep' | 'end') =>
    read<SubscriptionJob>('FETCH', subjects.subscriptionJob('pigeon', hashToken(mailbox), verb));
  const targets = async (id: string) =>
    (await read<PushTargets>('PUSH', subjects.push('pigeon', id)))?.targets.map(({ account }) => account) ??
    [];

  async function addTo(mailbox: string): Promise<AccountRef> {
    const payload = { provider: 'pigeon', settings: { mailbox }, credential: {} };
    const answer = await running.app.inject({ method: 'POST', url: '/v1/accounts', headers, payload });
    return { tenant: 'default', account: answer.json<Account>().id };
  }
  const remove = ({ account }: AccountRef) =>
    running.app.inject({ method: 'DELETE', url: `/v1/accounts/${account}`, headers });

  /** Two accounts of a mailbox, whose one question was answered. */
  async function pair(mailbox: string): Promise<[AccountRef, AccountRef]> {
    const both: [AccountRef, AccountRef] = [await addTo(mailbox), await addTo(mailbox)];
    await bus.purge('FETCH', subjects.subscriptionJob('pigeon', hashToken(mailbox), 'keep'));
    const report = made(mailbox, { notificationUrl: 'loft-1' });
    await bus.publish({ subject: subjects.subscription(both[0], 'reported'), data: report });
    await waitFor(async () => expect(await targets(mailbox)).toHaveLength(2));
    return both;
  }

  it('is asked for once, and what comes of it holds for all', async () => {
    const [one, two] = [await addTo('m-1'), await addTo('m-1')];
    expect(await job('m-1', 'keep')).toMatchObject({
      ...one,
      keep: { known: null, notificationUrl: 'loft-1' },
    });
    await bus.purge('FETCH', subjects.subscriptionJob('pigeon', hashToken('m-1'), 'keep'));
    const report = made('m-1', { notificationUrl: 'loft-1' });
    await bus.publish({ subject: subjects.subscription(one, 'reported'), data: report });
    await waitFor(async () => expect(await targets('m-1')).toEqual([one.account, two.account].sort()));
    for (const at of [one, two]) {
      await waitFor(async () =>
        expect(await webhookOf(at)).toEqual({ until: expect.any(String), reason: null }),
      );
      expect(await dueIn(at)).toBeGreaterThan(2 * DAY);
      // What comes before the gateway knows it is looked for afterwards.
      await waitFor(async () =>
        expect(await bus.last('SYNC', subjects.schedule(at, 'subscribed'))).not.toBeNull(),
      );
    }
  });

  it('outlives an account that is removed, and ends with the last', async () => {
    const [one, two] = await pair('m-2');
    let asked: SubscriptionJob | null = null;
    expect((await remove(one)).statusCode).toBe(202);
    // It would be withdrawn before the credential is gone.
    while ((await credentialOf(one)).length > 0) asked = (await job('m-2', 'end')) ?? asked;
    expect(asked).toBeNull();
    expect(await targets('m-2')).toEqual([two.account]);
    const removing = remove(two);
    await waitFor(async () => expect(await job('m-2', 'end')).toMatchObject({ ...two, end: 'm-2' }));
    await bus.purge('FETCH', subjects.subscriptionJob('pigeon', hashToken('m-2'), 'end'));
    expect((await removing).statusCode).toBe(202);
    await waitFor(async () => expect(await targets('m-2')).toEqual([]));
  });

  it('is made again for who comes while it ends', async () => {
    const at = await addTo('m-3');
    await bus.purge('FETCH', subjects.subscriptionJob('pigeon', hashToken('m-3'), 'keep'));
    await bus.publish({
      subject: subjects.subscription(at, 'reported'),
      data: made('m-3', { notificationUrl: 'loft-1' }),
    });
    await waitFor(async () => expect(await targets('m-3')).toHaveLength(1));
    const removing = remove(at);
    await waitFor(async () => expect(await job('m-3', 'end')).not.toBeNull());
    const late = await addTo('m-3');
    await bus.purge('FETCH', subjects.subscriptionJob('pigeon', hashToken('m-3'), 'keep'));
    await bus.purge('FETCH', subjects.subscriptionJob('pigeon', hashToken('m-3'), 'end'));
    await removing;
    await waitFor(async () => expect(await job('m-3', 'keep')).toMatchObject(late));
  });

  it('that could not be renewed is an alarm', async () => {
    const [one] = await pair('m-4');
    await db.query(
      `UPDATE control.subscription SET expires_at = now() - interval '1 hour', failure = $2 WHERE account = $1`,
      [
        one.account,
        JSON.stringify({
          failure: 'conflict',
          code: 'x.y',
          message: 'another has it',
          at: '2026-01-01T00:00:00Z',
        }),
      ],
    );
    expect(await webhookOf(one)).toEqual({
      until: null,
      reason: 'another has it',
      endedAt: expect.any(String),
    });
    const doctor = await running.app.inject({ url: '/v1/doctor', headers });
    const { findings } = doctor.json<{ findings: Finding[] }>();
    expect(findings.find(({ check }) => check === 'notifications')).toMatchObject({
      level: 'fail',
      message: expect.stringContaining('1 were notified and are not any more'),
    });
    await waitFor(async () => {
      const { body } = await running.app.inject({ url: '/metrics', headers });
      expect(body).toMatch(/mailstream_subscriptions_lapsing{provider="pigeon"} [1-9]/);
    });
  });

  it('that never was is as bad as one that has ended', async () => {
    const lapsing = async () => (await countLapsing(db, new Date())).get('pigeon') ?? 0;
    const before = await lapsing();
    const at = await addTo('m-5');
    expect(await lapsing()).toBe(before + 1);
    await bus.publish({
      subject: subjects.subscription(at, 'reported'),
      data: made('m-5', { notificationUrl: 'loft-1' }),
    });
    await waitFor(async () => expect(await lapsing()).toBe(before));
  });
});

describe('a subscription', () => {
  it('is renewed when its time has come', async () => {
    const at = await subscribed('s-2');
    await db.query('UPDATE control.subscription SET due_at = now() WHERE account = $1', [at.account]);
    await say(at, 'due');
    const job = await fetched(at, made('s-2', { secretHash: null }));
    expect(job.keep?.known).toBe('s-2');
    await waitFor(async () => expect(await dueIn(at)).toBeGreaterThan(DAY));
    expect(await targetOf('s-2')).toEqual({ ...at, secretHash: HASH });
  });

  it('is asked for again when a schedule was lost', async () => {
    const at = await subscribed('s-3');
    await bus.cancelSchedule(at, 'subscription');
    await db.query(
      `UPDATE control.subscription SET due_at = now() - interval '2 minutes' WHERE account = $1`,
      [at.account],
    );
    expect((await fetched(at, made('s-3', { secretHash: null }))).keep?.known).toBe('s-3');
  });

  it('that has ended is replaced, and all is looked at', async () => {
    const at = await subscribed('s-4');
    await bus.purge('SYNC', subjects.hint(at, 'user'));
    await say(at, 'renew');
    await fetched(at, made('s-5', { expiresAt: new Date(Date.now() + 6.5 * DAY).toISOString() }));
    await waitFor(async () => expect(await targetOf('s-5')).toEqual({ ...at, secretHash: HASH }));
    await waitFor(async () => expect(await targetOf('s-4')).toBeNull());
    const list = subjects.job('dove', 'live', at.account, 'mailboxes');
    await waitFor(async () => expect(await bus.last('FETCH', list)).not.toBeNull());
  });

  it('is told to the gateway again when that forgot', async () => {
    await subscribed('s-6');
    await bus.purge('PUSH', subjects.push('dove', 's-6'));
    await waitFor(async () => expect(await targetOf('s-6')).not.toBeNull());
  });

  it('is left alone while the account is paused, and renewed when it is resumed', async () => {
    const at = await subscribed('s-7');
    const url = `/v1/accounts/${at.account}`;
    await running.app.inject({ method: 'POST', url: `${url}/pause`, headers });
    await say(at, 'renew');
    await waitFor(async () => expect(await backlog()).toBe(0));
    expect(await bus.last('FETCH', keepSubject(at))).toBeNull();
    await running.app.inject({ method: 'POST', url: `${url}/resume`, headers });
    expect((await fetched(at, made('s-7', { secretHash: null }))).keep?.known).toBe('s-7');
  });

  it('is ended with its account, before its credential is gone', async () => {
    const at = await subscribed('s-8');
    const removing = running.app.inject({ method: 'DELETE', url: `/v1/accounts/${at.account}`, headers });
    const subject = subjects.subscriptionJob('dove', at.account, 'end');
    const job = await waitFor(async () => {
      const waiting = await read<SubscriptionJob>('FETCH', subject);
      if (!waiting) throw new Error('nothing is asked yet');
      return waiting;
    });
    expect(job).toMatchObject({ end: 's-8', keep: null });
    expect(await credentialOf(at)).toHaveLength(1);
    await bus.purge('FETCH', subject);
    expect((await removing).statusCode).toBe(202);
    await waitFor(async () => expect(await credentialOf(at)).toEqual([]));
    expect(await targetOf('s-8')).toBeNull();
    expect(await bus.last('SYNC', subjects.schedule(at, 'subscription'))).toBeNull();
  });

  it('is left to end by itself when its provider does not answer', async () => {
    const at = await subscribed('s-12');
    await running.app.inject({ method: 'DELETE', url: `/v1/accounts/${at.account}`, headers });
    const subject = subjects.subscriptionJob('dove', at.account, 'end');
    await waitFor(async () => expect(await bus.last('FETCH', subject)).not.toBeNull());
    await waitFor(async () => expect(await credentialOf(at)).toEqual([]));
    expect(await bus.last('FETCH', subject)).toBeNull();
    expect(await targetOf('s-12')).toBeNull();
  });

  it('leaves nothing behind when its account goes between a decision and what follows from it', async () => {
    const at = await subscribed('s-11');
    const decided = Promise.withResolvers<void>();
    const removed = Promise.withResolvers<void>();
    const stalling: Db = {
      ...db,
      async tx(work) {
        const result = await db.tx(work);
        decided.resolve();
        await removed.promise;
        return result;
      },
    };
    const destinationOf = () => ({ url: `${URL_1}/v1/webhooks/dove` });
    const sharedOf = () => null;
    const keeper = createSubscriptionKeeper({ bus, db: stalling, logger, destinationOf, sharedOf });
    const renewing = keeper.handle(at, { kind: 'renew' });
    await decided.promise;
    await removeSubscribed(at);
    removed.resolve();
    await renewing;
    expect(await bus.last('SYNC', subjects.schedule(at, 'subscription'))).toBeNull();
    expect(await bus.last('FETCH', keepSubject(at))).toBeNull();
    expect(await targetOf('s-11')).toBeNull();
  });
});

it('what is said about a subscription and makes no sense is parked', async () => {
  const at = await add();
  await bus.publish({ subject: subjects.subscription(at, 'reported'), data: { ok: 'maybe' } });
  await waitFor(async () => expect(await bus.last('DEAD', 'dead.*.bad-payload')).not.toBeNull());
});

it('another public address: all subscriptions move to it; without one, nothing is asked', async () => {
  const at = await subscribed('s-9');
  await running.stop();
  running = await startOrchestrator('https://other.example.com/');
  const notificationUrl = 'https://other.example.com/v1/webhooks/dove';
  const later = new Date(Date.now() + 6.5 * DAY).toISOString();
  const job = await fetched(at, made('s-10', { notificationUrl, expiresAt: later }));
  expect(job).toMatchObject({ end: 's-9', keep: { known: null, notificationUrl } });
  await waitFor(async () => expect(await targetOf('s-9')).toBeNull());

  await running.stop();
  running = await startOrchestrator(null);
  const silent = await add();
  await say(silent, 'renew');
  await waitFor(async () => expect(await backlog()).toBe(0));
  expect(await bus.last('FETCH', keepSubject(silent))).toBeNull();
  expect((await webhookOf(silent))?.reason).toContain('MAILSTREAM_PUBLIC_URL');
});
