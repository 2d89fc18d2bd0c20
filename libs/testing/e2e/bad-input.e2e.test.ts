/** What people and programs get wrong: each is told precisely, by the API and by `status`, and everybody else goes on. */
import {
  Account,
  type DeadLetter,
  DoctorReport,
  type Envelope,
  EVENT_TYPES,
  envelope,
  MAX_EVENT_BYTES,
  StatusReport,
  subjects,
  tenantOf,
  uuidv7,
} from '@mailstream/contracts';
import { deliver, demoMail } from '@mailstream/devstack';
import { DEFAULT_TENANT } from '@mailstream/runtime';
import { createDovecot, createImapWorld, hasDovecot } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { publishBare } from './bare-nats.ts';
import type { ChangeRecorder } from './change-recorder.ts';
import { type ImapMailbox, type System, startSystem } from './harness.ts';

const ADA = 'ada@example.com';
const BOB = 'bob@example.com';

let system: System;
let ada: ImapMailbox;
let recorder: ChangeRecorder;

beforeAll(async () => {
  if (!hasDovecot()) return;
  system = await startSystem({ users: [ADA, BOB] });
  recorder = await system.recordChanges();
  deliver(system.dovecot().maildir(ADA), demoMail({ seed: 1, count: 100, newest: new Date() }));
  deliver(system.dovecot().maildir(BOB), demoMail({ seed: 2, count: 20, newest: new Date() }));
  ada = await system.addMailbox(ADA);
  await system.settled();
});

afterAll(() => system?.stop());

async function arrive(): Promise<void> {
  const world = await createImapWorld(ada.login);
  await world.deliver('INBOX', { subject: `arrival-${process.hrtime.bigint()}` });
  world.close();
}

/** Mail flows as before. */
async function expectLifeGoesOn(): Promise<void> {
  await arrive();
  await system.expectViewEqualsMailbox(ada);
  await system.expectChangesTellView(recorder, ada);
}

describe.skipIf(!hasDovecot())('an account that cannot connect', () => {
  const PASSWORD = 'canary-not-the-password';

  async function add(settings: object, password = PASSWORD): Promise<string> {
    const body = { provider: 'imap', settings: { user: BOB, ...settings }, credential: { password } };
    return (await system.rest.send(Account, 'POST', '/v1/accounts', body)).id;
  }

  const plain = () => {
    const { host, port } = system.dovecot();
    return { host, port, secure: false, allowPlaintext: true };
  };

  const find = (id: string) => system.rest.get(Account, `/v1/accounts/${id}`);

  /** Waits for a failure, and expects the same of the account, of status and of the doctor. Never the password. */
  async function expectFailure(id: string, expected: object): Promise<Account> {
    await system.until('the account tells of a failure', async () => (await find(id)).failure !== null);
    const account = await find(id);
    expect(account).toMatchObject(expected);
    const status = await system.status();
    expect(status.accounts.find((each) => each.id === id)).toMatchObject(expected);
    const doctor = await system.rest.get(DoctorReport, '/v1/doctor');
    const finding = doctor.findings.find(({ check }) => check === `account ${account.name}`);
    expect(finding?.message).toContain(account.reason);
    expect(JSON.stringify([account, status, doctor])).not.toContain(PASSWORD);
    return account;
  }

  async function remove(id: string): Promise<void> {
    expect((await system.rest.call('DELETE', `/v1/accounts/${id}`)).status).toBe(202);
  }

  it('for its password waits for a person, and goes on with a new one', async () => {
    const id = await add(plain());
    await expectFailure(id, {
      state: 'reauth_required',
      reason: expect.stringContaining(`rejected the credentials of ${BOB}`),
      failure: { failure: 'auth', code: 'imap.auth_rejected', attempts: 1, retryAt: null },
    });
    await system.rest.send(Account, 'PATCH', `/v1/accounts/${id}`, {
      credential: { password: 'secret' },
    });
    await system.until('it is live', async () => (await find(id)).state === 'live');
    expect(await find(id)).toMatchObject({ reason: null, failure: null });
    await remove(id);
  });

  it.each([
    [
      'to a host nobody knows',
      { host: 'mail.invalid', secure: true },
      'imap.host_unknown',
      'The host name mail.invalid is not known; check how it is written.',
    ],
    [
      'to a port nobody listens on',
      { host: '127.0.0.1', port: 9, secure: true },
      'imap.connection_refused',
      'Nothing answers at 127.0.0.1:9; check the port and whether the server runs.',
    ],
  ])('%s says so, and is tried again', async (_, settings, code, reason) => {
    const id = await add(settings);
    await expectFailure(id, {
      state: 'degraded',
      reason,
      failure: { failure: 'network', code, retryAt: expect.any(String) },
    });
    await remove(id);
  });

  it('because TLS is not what was said names what to change', async () => {
    const id = await add({ ...plain(), secure: true });
    await expectFailure(id, {
      state: 'degraded',
      reason: expect.stringContaining('the port does not speak TLS; set "secure" to false'),
      failure: { failure: 'network', code: 'imap.tls_failed' },
    });
    await remove(id);
    const other = await add({ ...plain(), allowPlaintext: false });
    await expectFailure(other, {
      state: 'degraded',
      reason: expect.stringContaining('the server does not offer STARTTLS'),
      failure: { failure: 'network', code: 'imap.tls_failed' },
    });
    await remove(other);
  });

  it('because a certificate is not trusted says so, and goes on when it is accepted', async () => {
    const server = await createDovecot({ users: [{ user: BOB, password: 'secret' }], tls: true });
    try {
      const settings = { host: server.host, port: server.tlsPort, secure: true, user: BOB };
      const id = await add(settings, 'secret');
      await expectFailure(id, {
        state: 'degraded',
        reason: expect.stringMatching(/No trusted TLS connection to .*SELF_SIGNED/),
        failure: { failure: 'network', code: 'imap.tls_failed' },
      });
      const accepting = { settings: { ...settings, allowInvalidCertificate: true } };
      await system.rest.send(Account, 'PATCH', `/v1/accounts/${id}`, accepting);
      await system.until('it is live', async () => (await find(id)).state === 'live');
      await remove(id);
    } finally {
      await server.drop();
    }
  });

  it('any more, because its user is gone, keeps what it has until the user is back', async () => {
    const bob = await system.addMailbox(BOB);
    await system.expectViewEqualsMailbox(bob);
    await system.restartDovecot({ users: [ADA] });
    await system.sync(bob);
    await system.until('it is refused', async () => (await find(bob.account)).state === 'reauth_required');
    await expectFailure(bob.account, {
      state: 'reauth_required',
      reason: expect.stringContaining(`rejected the credentials of ${BOB}`),
      failure: { failure: 'auth', code: 'imap.auth_rejected' },
    });
    await expectLifeGoesOnFor(bob);
    await system.restartDovecot();
    await system.rest.send(Account, 'POST', `/v1/accounts/${bob.account}/resume`);
    await system.expectViewEqualsMailbox(bob);
    await remove(bob.account);
  });

  async function expectLifeGoesOnFor({ account }: ImapMailbox): Promise<void> {
    const answer = await system.rest.call('GET', `/v1/messages?account=${account}&limit=500`);
    expect(answer).toMatchObject({ status: 200, body: { items: { length: 20 } } });
  }
});

/** The newest dead letters, as `status` shows them to whom they are about. */
async function lettersAbout(subject: string): Promise<DeadLetter[]> {
  const rest = await system.restOf(tenantOf(subject) ?? DEFAULT_TENANT);
  const { parked } = await rest.get(StatusReport, '/v1/status');
  return parked.recent.filter((letter) => letter.subject === subject);
}

async function expectParked(subject: string, reason: string, detail: string): Promise<DeadLetter> {
  await system.until(`${subject} is parked`, async () => (await lettersAbout(subject)).length > 0);
  const [letter, ...more] = await lettersAbout(subject);
  expect(more).toEqual([]);
  expect(letter).toMatchObject({ subject, reason, detail: expect.stringContaining(detail) });
  if (!letter) throw new Error('no letter');
  return letter;
}

describe.skipIf(!hasDovecot())('a hint by somebody else', () => {
  const nobody = uuidv7();

  it.each([
    ['for an account nobody has', () => `sync.requested.default.${nobody}.push`, 'unknown-account', nobody],
    [
      'for an account of another tenant',
      () => `sync.requested.acme.${ada.account}.push`,
      'unknown-account',
      'tenant acme',
    ],
    ['for an account that is no id', () => 'sync.requested.default.abc.push', 'unknown-account', 'abc'],
    [
      'with a reason nobody knows',
      () => `sync.requested.default.${ada.account}.whim`,
      'bad-subject',
      '<push|user|poll|retry>',
    ],
    [
      'with names no subject may have',
      () => 'sync.requested.Ünïcode.$x.push',
      'bad-subject',
      'sync.requested.<tenant>',
    ],
    [
      'that is a report without one',
      () => `sync.fetched.default.${ada.account}.inbox`,
      'bad-payload',
      'not JSON',
    ],
  ])('%s is parked', async (_, subjectOf, reason, detail) => {
    const subject = subjectOf();
    await publishBare(system.stack.natsUrl, subject, 'garbage {');
    const letter = await expectParked(subject, reason, detail);
    expect(letter.stream).toBe('SYNC');
    const isTold = tenantOf(subject) !== null;
    expect(Buffer.from(letter.payload, 'base64').toString()).toBe(isTold ? 'garbage {' : '');
    await expectLifeGoesOn();
  });
});

describe.skipIf(!hasDovecot())('a job or a watch by somebody else', () => {
  it.each([
    ['job', 'fetch.imap.live.abc.inbox', 'FETCH'],
    ['watch', 'watch.imap.abc', 'WATCH'],
  ])('that is no %s is parked', async (_, subject, stream) => {
    await publishBare(system.stack.natsUrl, subject, 'garbage {');
    expect(await expectParked(subject, 'bad-payload', 'not a')).toMatchObject({ stream });
    await expectLifeGoesOn();
  });
});

describe.skipIf(!hasDovecot())('an event in the log by somebody else', () => {
  const at = () => ({ tenant: DEFAULT_TENANT, account: ada.account });
  const removal = (over: Partial<Envelope> = {}) =>
    envelope({
      id: uuidv7(),
      source: '/somebody',
      type: EVENT_TYPES.messageChanged,
      time: new Date().toISOString(),
      ...at(),
      data: { op: 'removed', copy: { mailbox: 'inbox', generation: '1', id: '0000000001' }, origin: 'live' },
      ...over,
    });
  const fact = () => subjects.fact(at(), 'message.changed');

  it.each([
    ['that is not JSON', fact, () => 'garbage {', 'not-json', 'the payload is not JSON'],
    [
      'of a type nobody knows',
      fact,
      () => removal({ type: 'com.example.thing' }),
      'unknown-type',
      'com.example.thing',
    ],
    [
      'against its schema',
      fact,
      () => removal({ data: { op: 'removed', copy: { mailbox: 'inbox' } } }),
      'bad-schema',
      '/data',
    ],
    [
      'of another account than its subject',
      fact,
      () => removal({ account: uuidv7() }),
      'wrong-identity',
      'another tenant or account',
    ],
    [
      'on a subject of another type',
      () => subjects.fact(at(), 'mailbox.changed'),
      removal,
      'wrong-subject',
      'message.changed',
    ],
    [
      'in another partition',
      () => fact().replace(/^mail\.\d\d/, (own) => (own === 'mail.03' ? 'mail.04' : 'mail.03')),
      removal,
      'bad-subject',
      'belongs to partition',
    ],
    ['outside any page', fact, removal, 'stray', 'in a page only'],
    [
      'in a page that is never closed',
      fact,
      () => removal({ page: uuidv7() }),
      'stray',
      'not closed by a cursor',
    ],
    ['of two megabytes', fact, () => 'x'.repeat(2 * MAX_EVENT_BYTES), 'not-json', 'the payload is not JSON'],
  ])('%s is parked', async (_, subjectOf, payload, reason, detail) => {
    const before = (await system.status()).parked.count;
    const subject = subjectOf();
    const body = payload();
    await publishBare(system.stack.natsUrl, subject, typeof body === 'string' ? body : JSON.stringify(body));
    // A page that was never closed is seen to be none when the next one comes.
    await arrive();
    await system.until('it is parked', async () => (await system.status()).parked.count > before);
    const [letter] = (await system.status()).parked.recent;
    expect(letter).toMatchObject({
      stream: 'MAIL',
      subject,
      reason,
      detail: expect.stringContaining(detail),
    });
    await expectLifeGoesOn();
    expect((await system.status()).parked.count).toBe(before + 1);
  });
});

describe.skipIf(!hasDovecot())('too much at once', () => {
  it('is refused by the gateway with 413', async () => {
    const body = { provider: 'imap', settings: {}, credential: { password: 'x'.repeat(MAX_EVENT_BYTES) } };
    const answer = await system.rest.call('POST', '/v1/accounts', { body });
    expect(answer.status).toBe(413);
  });

  it('is refused by the bus before it is sent, for NATS would break the connection', async () => {
    const subject = subjects.fact({ tenant: DEFAULT_TENANT, account: ada.account }, 'message.changed');
    await expect(system.bus.publish({ subject, data: Buffer.alloc(9_000_000, 'x') })).rejects.toMatchObject({
      code: 'bus.too_large',
    });
    await expectLifeGoesOn();
  });
});
