// Subscriptions on a real NATS and PostgreSQL: what is asked of fetchers, what the gateway is told, and what is made good.
import {
  type AccountRef,
  type PushTarget,
  type PushTargets,
  type SubscriptionJob,
  type SubscriptionReport,
  subjects,
} from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createSubscriptionKeeper } from './keeper.ts';
import {
  DAY,
  HASH,
  madeAt,
  PUBLIC_URL,
  provider,
  type SubscriptionWorld,
  startSubscriptionWorld,
  waitFor,
} from './testkit.ts';

const WEBHOOK = `${PUBLIC_URL}/v1/webhooks/dove`;

let world: SubscriptionWorld;

beforeAll(async () => {
  world = await startSubscriptionWorld(provider);
});
afterAll(() => world.close());

const add = () => world.add({});
const made = (id: string, over: object = {}) => madeAt(WEBHOOK, id, over);

async function backlog(): Promise<number> {
  const { waiting, held } = await world.bus.queue('SYNC', 'orchestrator-subscriptions');
  return waiting + held;
}

const keepSubject = ({ account }: AccountRef) => subjects.subscriptionJob('dove', account, 'keep');
const targetOf = async (id: string): Promise<PushTarget | null> =>
  (await world.read<PushTargets>('PUSH', subjects.push('dove', id)))?.targets[0] ?? null;

/** Does the job as a fetcher would: off the queue, then the report. */
async function fetched(at: AccountRef, report: SubscriptionReport): Promise<SubscriptionJob> {
  const job = await waitFor(async () => {
    const waiting = await world.read<SubscriptionJob>('FETCH', keepSubject(at));
    if (!waiting) throw new Error('nothing is asked yet');
    return waiting;
  });
  await world.bus.purge('FETCH', keepSubject(at));
  await world.bus.publish({ subject: subjects.subscription(at, 'reported'), data: report });
  return job;
}

async function subscribed(id: string): Promise<AccountRef> {
  const at = await add();
  await fetched(at, made(id));
  await waitFor(async () => expect(await targetOf(id)).not.toBeNull());
  return at;
}

const say = (at: AccountRef, event: 'due' | 'renew') =>
  world.bus.publish({ subject: subjects.subscription(at, event), data: {} });

/** Removes an account and ends its subscription as a fetcher would. */
async function removeSubscribed(at: AccountRef): Promise<void> {
  const removing = world.ask('DELETE', `/v1/accounts/${at.account}`);
  const subject = subjects.subscriptionJob('dove', at.account, 'end');
  await waitFor(async () => expect(await world.bus.last('FETCH', subject)).not.toBeNull());
  await world.bus.purge('FETCH', subject);
  expect((await removing).statusCode).toBe(202);
  await waitFor(async () => expect(await world.credentialOf(at)).toEqual([]));
}

describe('an account that is added', () => {
  it('is subscribed; the gateway is told, it is looked at, and a schedule will renew it', async () => {
    const at = await add();
    expect(await world.webhookOf(at)).toEqual({
      until: null,
      reason: expect.stringContaining('has not answered'),
    });
    const job = await fetched(at, made('s-1'));
    expect(job).toMatchObject({
      ...at,
      end: null,
      keep: { known: null, notificationUrl: WEBHOOK },
    });
    await waitFor(async () => expect(await targetOf('s-1')).toEqual({ ...at, secretHash: HASH }));
    await waitFor(async () =>
      expect(await world.webhookOf(at)).toEqual({ until: expect.any(String), reason: null }),
    );
    expect(await world.bus.last('SYNC', subjects.schedule(at, 'subscription'))).not.toBeNull();
    expect(await world.dueIn(at)).toBeGreaterThan(2.6 * DAY);
    expect(await world.dueIn(at)).toBeLessThan(3.4 * DAY);
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
    await waitFor(async () => expect(await world.webhookOf(at)).toEqual({ until: null, reason: message }));
    const doctor = await world.ask('GET', '/v1/doctor');
    expect(doctor.body).toContain(message);
  });
});

describe('a subscription', () => {
  it('is renewed when its time has come', async () => {
    const at = await subscribed('s-2');
    await world.db.query('UPDATE control.subscription SET due_at = now() WHERE account = $1', [at.account]);
    await say(at, 'due');
    const job = await fetched(at, made('s-2', { secretHash: null }));
    expect(job.keep?.known).toBe('s-2');
    await waitFor(async () => expect(await world.dueIn(at)).toBeGreaterThan(DAY));
    expect(await targetOf('s-2')).toEqual({ ...at, secretHash: HASH });
  });

  it('is asked for again when a schedule was lost', async () => {
    const at = await subscribed('s-3');
    await world.bus.cancelSchedule(at, 'subscription');
    await world.db.query(
      `UPDATE control.subscription SET due_at = now() - interval '2 minutes' WHERE account = $1`,
      [at.account],
    );
    expect((await fetched(at, made('s-3', { secretHash: null }))).keep?.known).toBe('s-3');
  });

  it('that has ended is replaced, and all is looked at', async () => {
    const at = await subscribed('s-4');
    await world.bus.purge('SYNC', subjects.hint(at, 'user'));
    await say(at, 'renew');
    await fetched(at, made('s-5', { expiresAt: new Date(Date.now() + 6.5 * DAY).toISOString() }));
    await waitFor(async () => expect(await targetOf('s-5')).toEqual({ ...at, secretHash: HASH }));
    await waitFor(async () => expect(await targetOf('s-4')).toBeNull());
    const list = subjects.job('dove', 'live', at.account, 'mailboxes');
    await waitFor(async () => expect(await world.bus.last('FETCH', list)).not.toBeNull());
  });

  it('is told to the gateway again when that forgot', async () => {
    await subscribed('s-6');
    await world.bus.purge('PUSH', subjects.push('dove', 's-6'));
    await waitFor(async () => expect(await targetOf('s-6')).not.toBeNull());
  });

  it('is left alone while the account is paused, and renewed when it is resumed', async () => {
    const at = await subscribed('s-7');
    const url = `/v1/accounts/${at.account}`;
    await world.ask('POST', `${url}/pause`);
    await say(at, 'renew');
    await waitFor(async () => expect(await backlog()).toBe(0));
    expect(await world.bus.last('FETCH', keepSubject(at))).toBeNull();
    await world.ask('POST', `${url}/resume`);
    expect((await fetched(at, made('s-7', { secretHash: null }))).keep?.known).toBe('s-7');
  });

  it('is ended with its account, before its credential is gone', async () => {
    const at = await subscribed('s-8');
    const removing = world.ask('DELETE', `/v1/accounts/${at.account}`);
    const subject = subjects.subscriptionJob('dove', at.account, 'end');
    const job = await waitFor(async () => {
      const waiting = await world.read<SubscriptionJob>('FETCH', subject);
      if (!waiting) throw new Error('nothing is asked yet');
      return waiting;
    });
    expect(job).toMatchObject({ end: 's-8', keep: null });
    expect(await world.credentialOf(at)).toHaveLength(1);
    await world.bus.purge('FETCH', subject);
    expect((await removing).statusCode).toBe(202);
    await waitFor(async () => expect(await world.credentialOf(at)).toEqual([]));
    expect(await targetOf('s-8')).toBeNull();
    expect(await world.bus.last('SYNC', subjects.schedule(at, 'subscription'))).toBeNull();
  });

  it('is left to end by itself when its provider does not answer', async () => {
    const at = await subscribed('s-12');
    await world.ask('DELETE', `/v1/accounts/${at.account}`);
    const subject = subjects.subscriptionJob('dove', at.account, 'end');
    await waitFor(async () => expect(await world.bus.last('FETCH', subject)).not.toBeNull());
    await waitFor(async () => expect(await world.credentialOf(at)).toEqual([]));
    expect(await world.bus.last('FETCH', subject)).toBeNull();
    expect(await targetOf('s-12')).toBeNull();
  });

  it('leaves nothing behind when its account goes between a decision and what follows from it', async () => {
    const at = await subscribed('s-11');
    const decided = Promise.withResolvers<void>();
    const removed = Promise.withResolvers<void>();
    const stalling: Db = {
      ...world.db,
      async tx(work) {
        const result = await world.db.tx(work);
        decided.resolve();
        await removed.promise;
        return result;
      },
    };
    const destinationOf = () => ({ url: WEBHOOK });
    const sharedOf = () => null;
    const keeper = createSubscriptionKeeper({
      bus: world.bus,
      db: stalling,
      logger: createLogger('test', 'silent'),
      destinationOf,
      sharedOf,
    });
    const renewing = keeper.handle(at, { kind: 'renew' });
    await decided.promise;
    await removeSubscribed(at);
    removed.resolve();
    await renewing;
    expect(await world.bus.last('SYNC', subjects.schedule(at, 'subscription'))).toBeNull();
    expect(await world.bus.last('FETCH', keepSubject(at))).toBeNull();
    expect(await targetOf('s-11')).toBeNull();
  });
});

it('what is said about a subscription and makes no sense is parked', async () => {
  const at = await add();
  await world.bus.publish({ subject: subjects.subscription(at, 'reported'), data: { ok: 'maybe' } });
  await waitFor(async () => expect(await world.bus.last('DEAD', 'dead.*.bad-payload')).not.toBeNull());
});

it('another public address: all subscriptions move to it; without one, nothing is asked', async () => {
  const at = await subscribed('s-9');
  await world.restart('https://other.example.com/');
  const notificationUrl = 'https://other.example.com/v1/webhooks/dove';
  const later = new Date(Date.now() + 6.5 * DAY).toISOString();
  const job = await fetched(at, made('s-10', { notificationUrl, expiresAt: later }));
  expect(job).toMatchObject({ end: 's-9', keep: { known: null, notificationUrl } });
  await waitFor(async () => expect(await targetOf('s-9')).toBeNull());

  await world.restart(null);
  const silent = await add();
  await say(silent, 'renew');
  await waitFor(async () => expect(await backlog()).toBe(0));
  expect(await world.bus.last('FETCH', keepSubject(silent))).toBeNull();
  expect((await world.webhookOf(silent))?.reason).toContain('MAILSTREAM_PUBLIC_URL');
});
