// A subscription that several accounts have together, on a real NATS and PostgreSQL: asked for once, told to all, ended with the last.
import {
  type AccountRef,
  type Finding,
  hashToken,
  type PushTargets,
  type SubscriptionJob,
  subjects,
} from '@mailstream/contracts';
import type { Provider } from '@mailstream/providers';
import { Type } from 'typebox';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countLapsing } from './rows.ts';
import { DAY, madeAt, provider, type SubscriptionWorld, startSubscriptionWorld, waitFor } from './testkit.ts';

/** One that has one subscription of a mailbox, whoever connected it, and tells by way of something else. */
const relayed: Provider = {
  ...provider,
  name: 'pigeon',
  relay: { address: 'loft-1', missing: 'there is no loft' },
  settings: Type.Object({ mailbox: Type.String() }),
  sharedSubscription: (settings) =>
    typeof settings === 'object' && settings && 'mailbox' in settings ? String(settings.mailbox) : null,
};

let world: SubscriptionWorld;

beforeAll(async () => {
  world = await startSubscriptionWorld(relayed);
});
afterAll(() => world.close());

const jobSubject = (mailbox: string, verb: 'keep' | 'end') =>
  subjects.subscriptionJob('pigeon', hashToken(mailbox), verb);
const job = (mailbox: string, verb: 'keep' | 'end') =>
  world.read<SubscriptionJob>('FETCH', jobSubject(mailbox, verb));
const targets = async (mailbox: string) => {
  const told = await world.read<PushTargets>('PUSH', subjects.push('pigeon', mailbox));
  return told?.targets.map(({ account }) => account) ?? [];
};

const addTo = (mailbox: string) => world.add({ mailbox });
const remove = ({ account }: AccountRef) => world.ask('DELETE', `/v1/accounts/${account}`);

/** As a fetcher would say it that was asked about this account; the subscription is called as its mailbox. */
const reported = (at: AccountRef, mailbox: string) =>
  world.bus.publish({ subject: subjects.subscription(at, 'reported'), data: madeAt('loft-1', mailbox) });

/** Two accounts of a mailbox, whose one question was answered. */
async function pair(mailbox: string): Promise<[AccountRef, AccountRef]> {
  const both: [AccountRef, AccountRef] = [await addTo(mailbox), await addTo(mailbox)];
  await world.bus.purge('FETCH', jobSubject(mailbox, 'keep'));
  await reported(both[0], mailbox);
  await waitFor(async () => expect(await targets(mailbox)).toHaveLength(2));
  return both;
}

describe('a subscription that accounts have together', () => {
  it('is asked for once, and what comes of it holds for all', async () => {
    const [one, two] = [await addTo('m-1'), await addTo('m-1')];
    expect(await job('m-1', 'keep')).toMatchObject({
      ...one,
      keep: { known: null, notificationUrl: 'loft-1' },
    });
    await world.bus.purge('FETCH', jobSubject('m-1', 'keep'));
    await reported(one, 'm-1');
    await waitFor(async () => expect(await targets('m-1')).toEqual([one.account, two.account].sort()));
    for (const at of [one, two]) {
      await waitFor(async () =>
        expect(await world.webhookOf(at)).toEqual({ until: expect.any(String), reason: null }),
      );
      expect(await world.dueIn(at)).toBeGreaterThan(2 * DAY);
      // What comes before the gateway knows it is looked for afterwards.
      await waitFor(async () =>
        expect(await world.bus.last('SYNC', subjects.schedule(at, 'subscribed'))).not.toBeNull(),
      );
    }
  });

  it('outlives an account that is removed, and ends with the last', async () => {
    const [one, two] = await pair('m-2');
    let asked: SubscriptionJob | null = null;
    expect((await remove(one)).statusCode).toBe(202);
    // It would be withdrawn before the credential is gone.
    while ((await world.credentialOf(one)).length > 0) asked = (await job('m-2', 'end')) ?? asked;
    expect(asked).toBeNull();
    expect(await targets('m-2')).toEqual([two.account]);
    const removing = remove(two);
    await waitFor(async () => expect(await job('m-2', 'end')).toMatchObject({ ...two, end: 'm-2' }));
    await world.bus.purge('FETCH', jobSubject('m-2', 'end'));
    expect((await removing).statusCode).toBe(202);
    await waitFor(async () => expect(await targets('m-2')).toEqual([]));
  });

  it('is made again for who comes while it ends', async () => {
    const at = await addTo('m-3');
    await world.bus.purge('FETCH', jobSubject('m-3', 'keep'));
    await reported(at, 'm-3');
    await waitFor(async () => expect(await targets('m-3')).toHaveLength(1));
    const removing = remove(at);
    await waitFor(async () => expect(await job('m-3', 'end')).not.toBeNull());
    const late = await addTo('m-3');
    await world.bus.purge('FETCH', jobSubject('m-3', 'keep'));
    await world.bus.purge('FETCH', jobSubject('m-3', 'end'));
    await removing;
    await waitFor(async () => expect(await job('m-3', 'keep')).toMatchObject(late));
  });

  it('that could not be renewed is an alarm', async () => {
    const [one] = await pair('m-4');
    await world.db.query(
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
    expect(await world.webhookOf(one)).toEqual({
      until: null,
      reason: 'another has it',
      endedAt: expect.any(String),
    });
    const doctor = await world.ask('GET', '/v1/doctor');
    const { findings } = doctor.json<{ findings: Finding[] }>();
    expect(findings.find(({ check }) => check === 'notifications')).toMatchObject({
      level: 'fail',
      message: expect.stringContaining('1 were notified and are not any more'),
    });
    await waitFor(async () => {
      const { body } = await world.ask('GET', '/metrics');
      expect(body).toMatch(/mailstream_subscriptions_lapsing{provider="pigeon"} [1-9]/);
    });
  });

  it('that never was is as bad as one that has ended', async () => {
    const lapsing = async () => (await countLapsing(world.db, new Date())).get('pigeon') ?? 0;
    const before = await lapsing();
    const at = await addTo('m-5');
    expect(await lapsing()).toBe(before + 1);
    await reported(at, 'm-5');
    await waitFor(async () => expect(await lapsing()).toBe(before));
  });

  it('has ended for all when who asked is told that it is gone', async () => {
    const both = await pair('m-6');
    const refusal = { ok: false, failure: 'conflict', code: 'x.y', message: 'no more', retryAfterMs: null };
    const say = (data: object) =>
      world.bus.publish({ subject: subjects.subscription(both[0], 'reported'), data });
    await say(refusal);
    await waitFor(async () =>
      expect(await world.webhookOf(both[0])).toMatchObject({ until: expect.any(String), reason: 'no more' }),
    );
    expect(await world.webhookOf(both[1])).toMatchObject({ until: expect.any(String), reason: null });
    await say({ ...refusal, gone: 'm-6' });
    for (const at of both)
      await waitFor(async () =>
        expect(await world.webhookOf(at)).toMatchObject({ until: null, reason: 'no more' }),
      );
  });
});
