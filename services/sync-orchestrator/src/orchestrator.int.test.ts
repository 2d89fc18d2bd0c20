// The orchestrator on a real NATS and PostgreSQL: accounts by HTTP, jobs on FETCH, credentials by request, hints parked or acted on.
import { type FetchJob, type StatusReport, subjects } from '@mailstream/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type World } from './testkit.ts';

const SETTINGS = { host: 'imap.example.com', secure: true, user: 'ada@example.com' };
const PASSWORD = 'canary-password-1';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());

const add = (over: object = {}) =>
  world.call('POST', '/v1/accounts', {
    provider: 'imap',
    settings: SETTINGS,
    credential: { password: PASSWORD },
    ...over,
  });

/** Long enough for a busy machine. */
const eventually = <T>(check: () => Promise<T>) => vi.waitFor(check, 10_000);

async function jobOf(account: string, scope = 'mailboxes'): Promise<FetchJob> {
  const stored = await eventually(async () => {
    const last = await world.bus.last('FETCH', subjects.job('imap', 'live', account, scope));
    if (!last) throw new Error('no job yet');
    return last;
  });
  return JSON.parse(new TextDecoder().decode(stored.data));
}

describe('an account', () => {
  it('that is added is stored, told to the log, watched, polled, and looked at', async () => {
    const { status, body } = await add();
    expect(status).toBe(201);
    expect(body).toMatchObject({
      state: 'connecting',
      name: 'ada@example.com at imap.example.com',
      push: 'idle',
    });
    const at = { tenant: 'default', account: body.id };
    expect(await jobOf(body.id)).toMatchObject({
      account: body.id,
      scope: 'mailboxes',
      address: null,
    });
    expect(await world.bus.last('WATCH', subjects.watch('imap', body.id))).not.toBeNull();
    expect(await world.bus.last('SYNC', subjects.schedule(at, 'poll'))).not.toBeNull();
    await eventually(async () =>
      expect(await world.bus.last('MAIL', subjects.fact(at, 'account.added'))).not.toBeNull(),
    );
  });

  it('never shows its credential, neither in an answer nor at rest nor in the log', async () => {
    const { body } = await add();
    expect(JSON.stringify(body)).not.toContain(PASSWORD);
    const rows = await world.db.query(
      `SELECT a.*, c.*, encode(c.sealed, 'escape') AS text FROM control.account a JOIN control.credential c ON c.account = a.id`,
    );
    expect(
      JSON.stringify(rows, (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain(PASSWORD);
    const fact = await eventually(async () => {
      const last = await world.bus.last(
        'MAIL',
        subjects.fact({ tenant: 'default', account: body.id }, 'account.added'),
      );
      if (!last) throw new Error('not told yet');
      return last;
    });
    expect(new TextDecoder().decode(fact.data)).not.toContain(PASSWORD);
  });

  it('gives its credential to who asks over the bus, and to nobody for another tenant', async () => {
    const { body } = await add();
    expect(await world.credentialsOf(body.id)).toMatchObject({
      ok: true,
      settings: SETTINGS,
      credential: { password: PASSWORD },
    });
    expect(await world.credentialsOf(body.id, { tenant: 'other' })).toMatchObject({
      ok: false,
      failure: 'gone',
    });
  });

  it('gets new credentials and keeps its id', async () => {
    const { body } = await add();
    const patched = await world.call('PATCH', `/v1/accounts/${body.id}`, {
      credential: { password: 'canary-password-2' },
    });
    expect(patched.body.id).toBe(body.id);
    expect(await world.credentialsOf(body.id)).toMatchObject({
      credential: { password: 'canary-password-2' },
      credentialVersion: 2,
    });
  });

  it('paused starts nothing and is not watched, resumed it is again', async () => {
    const { body } = await add();
    const subject = subjects.watch('imap', body.id);
    expect((await world.call('POST', `/v1/accounts/${body.id}/pause`)).body.state).toBe('paused');
    await eventually(async () => expect(await world.bus.last('WATCH', subject)).toBeNull());
    expect(await world.credentialsOf(body.id)).toMatchObject({ ok: false, code: 'account.paused' });
    expect((await world.call('POST', `/v1/accounts/${body.id}/resume`)).body.state).toBe('connecting');
    await eventually(async () => expect(await world.bus.last('WATCH', subject)).not.toBeNull());
  });

  it('removed leaves no credential, no schedule and no watch behind, and the log is told', async () => {
    const { body } = await add();
    const at = { tenant: 'default', account: body.id };
    await world.remove(body.id);
    expect((await world.call('DELETE', `/v1/accounts/${body.id}`)).status).toBe(404);
    expect(await world.db.query('SELECT 1 FROM control.credential WHERE account = $1', [body.id])).toEqual(
      [],
    );
    expect(await world.bus.last('WATCH', subjects.watch('imap', body.id))).toBeNull();
    expect(await world.bus.last('SYNC', subjects.schedule(at, 'poll'))).toBeNull();
    expect(await world.bus.last('CHANGES', subjects.change(at, 'account', 'erased'))).not.toBeNull();
  });

  it.each([
    ['an unknown provider', { provider: 'pigeon' }, 'there is no provider "pigeon"; known: imap'],
    ['a setting that is missing', { settings: { secure: true, user: 'ada' } }, 'settings'],
    [
      'a credential of the wrong shape, without repeating it',
      { credential: { pass: PASSWORD } },
      'credential',
    ],
  ])('with %s is refused in words', async (_what, over, words) => {
    const { status, body } = await add(over);
    expect(status).toBe(400);
    expect(JSON.stringify(body)).toContain(words.replaceAll('"', String.raw`\"`));
    expect(JSON.stringify(body)).not.toContain(PASSWORD);
  });
});

it('of a provider that is signed in with needs an application of the operator', async () => {
  const { status, body } = await world.call('GET', '/v1/connect/microsoft');
  expect(status).toBe(500);
  expect(body).toMatchObject({
    error: { code: 'microsoft.not_configured', message: expect.stringContaining('MS_CLIENT_ID') },
  });
});

describe('a hint', () => {
  const dead = async (reason: string) => {
    const stored = await eventually(async () => {
      const last = await world.bus.last('DEAD', `dead.*.${reason}`);
      if (!last) throw new Error('nothing parked yet');
      return last;
    });
    return new TextDecoder().decode(stored.data);
  };

  it('for an account nobody knows is parked', async () => {
    await world.bus.publish({
      subject: subjects.hint({ tenant: 'default', account: 'nobody' }, 'push'),
      data: {},
    });
    expect(await dead('unknown-account')).toContain('sync.requested.default.nobody.push');
  });

  it('with a reason nobody knows is parked', async () => {
    await world.bus.publish({ subject: 'sync.requested.default.somebody.whim', data: {} });
    expect(await dead('bad-subject')).toContain('push|user|poll|retry');
  });

  it('with any body at all is a hint', async () => {
    const { body } = await add();
    const first = await jobOf(body.id);
    await world.bus.purge('FETCH', subjects.job('imap', 'live', body.id, 'mailboxes'));
    const at = { tenant: 'default', account: body.id };
    await world.bus.publish({
      subject: subjects.fetched(at, 'mailboxes'),
      data: { run: first.run, outcome: 'nothing', done: true },
    });
    await world.bus.publish({ subject: subjects.hint(at, 'user'), data: new Uint8Array([0xff, 0x00]) });
    await eventually(async () => expect((await jobOf(body.id)).run).not.toBe(first.run));
  });
});

it('what a fetch spent is told to the next one, and in the status', async () => {
  const { body } = await add();
  const at = { tenant: 'default', account: body.id };
  const first = await jobOf(body.id);
  expect(first.spentSoFar).toBeUndefined();
  await world.bus.purge('FETCH', subjects.job('imap', 'live', body.id, 'mailboxes'));
  const spent = [{ at: Date.now(), method: 'messages.get', units: 40 }];
  const spending = { perMinute: 6_000, projectPerMinute: 1_200_000, spent };
  await world.bus.publish({
    subject: subjects.fetched(at, 'mailboxes'),
    data: { run: first.run, outcome: 'nothing', done: true, spending },
  });
  await world.bus.publish({ subject: subjects.hint(at, 'user'), data: {} });
  await eventually(async () => expect((await jobOf(body.id)).spentSoFar?.spent).toEqual(spent));
  const { body: report } = await world.call<StatusReport>('GET', '/v1/status');
  expect(report.accounts.find(({ id }) => id === body.id)?.quota).toEqual({
    perMinute: 6_000,
    units: 40,
    methods: { 'messages.get': 40 },
  });
  expect(report.quotas).toEqual([{ provider: 'imap', perMinute: 1_200_000, units: 40 }]);
});

it('a job that was promised and is not there is offered again within seconds', async () => {
  const { body } = await add();
  const job = await jobOf(body.id);
  await world.bus.purge('FETCH', subjects.job('imap', 'live', body.id, 'mailboxes'));
  expect((await jobOf(body.id)).run).toBe(job.run);
});

it('what was promised before the orchestrator ended is published by the next one', async () => {
  const { body } = await add();
  const job = await jobOf(body.id);
  await world.first.stop();
  await world.bus.purge('FETCH', subjects.job('imap', 'live', body.id, 'mailboxes'));
  const next = await world.replicate();
  expect((await jobOf(body.id)).run).toBe(job.run);
  await next.stop();
});
