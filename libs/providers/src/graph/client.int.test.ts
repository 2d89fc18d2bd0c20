// How requests go out, and what becomes of those that fail.
import { setTimeout as wait } from 'node:timers/promises';
import { MAILBOXES_SCOPE } from '@mailstream/contracts';
import type { Fault } from '@mailstream/simulators';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ConnectRequest, Page, Session } from '../provider.ts';
import { ProviderError } from '../provider.ts';
import { importFolder, type Rig, startRig } from './testkit.ts';

let rig: Rig;
beforeEach(async () => {
  rig = await startRig({ account: { messages: 10 } }, { timeoutMs: 300 });
});
afterEach(() => rig.close());

async function pull(
  session: Session,
  scope = MAILBOXES_SCOPE,
  address: string | null = null,
  cursor: unknown = null,
) {
  const { signal } = new AbortController();
  const pages: Page[] = [];
  for await (const page of session.pull({ scope, address, cursor, lane: 'live', signal })) pages.push(page);
  return pages;
}

const look = async (changes?: Partial<ConnectRequest>) => pull(await rig.connect(changes));
const requests = () => rig.control.requests();

describe('a token', () => {
  const refused = () => ({ ...rig.credential(), accessToken: 'not.a.token' });
  const dead = () => rig.credential(-1);

  it('that is refused is renewed once, and the request made again', async () => {
    let renewals = 0;
    const session = await rig.connect({
      credential: dead(),
      renew: async () => {
        renewals += 1;
        return rig.credential();
      },
    });
    expect(await pull(session)).toHaveLength(1);
    expect(await pull(session)).toHaveLength(1);
    expect(renewals).toBe(1);
    expect(requests().filter(({ status }) => status === 401)).toHaveLength(1);
  });

  it('that is refused again is the end: the account needs new credentials', async () => {
    const failing = look({ credential: refused(), renew: async () => refused() });
    await expect(failing).rejects.toMatchObject({ failure: 'auth', code: 'graph.auth_rejected' });
    expect(requests()).toHaveLength(2);
  });

  it('that cannot be renewed fails as the broker says', async () => {
    const gone = new ProviderError('auth', 'microsoft.consent', 'consent again');
    await expect(look({ credential: dead(), renew: () => Promise.reject(gone) })).rejects.toBe(gone);
    await expect(look({ credential: dead(), renew: async () => ({}) })).rejects.toMatchObject({
      code: 'graph.credential_invalid',
    });
  });

  it('that ends soon is not begun with', async () => {
    const inMinutes = (minutes: number) => ({
      ...rig.credential(),
      expiresAt: new Date(rig.control.now() + minutes * 60_000).toISOString(),
    });
    expect((await rig.connect({ credential: inMinutes(4) })).usable()).toBe(false);
    expect((await rig.connect({ credential: inMinutes(6) })).usable()).toBe(true);
  });
});

describe('a refusal', () => {
  it.each<[string, Fault, object]>([
    [
      'too many requests',
      { kind: 'status', status: 429, retryAfter: 1_800 },
      { failure: 'quota', retryAfterMs: 1_800_000 },
    ],
    [
      'out of order',
      { kind: 'status', status: 503, retryAfter: 7 },
      { failure: 'network', retryAfterMs: 7_000 },
    ],
    [
      'out of order without a date',
      { kind: 'status', status: 503 },
      { failure: 'network', retryAfterMs: null },
    ],
    ['too slow within', { kind: 'status', status: 504 }, { failure: 'timeout' }],
    [
      'a page of some proxy',
      { kind: 'html', status: 502 },
      { failure: 'network', code: 'graph.unavailable' },
    ],
    ['a page of some portal', { kind: 'html', status: 200 }, { failure: 'parse', code: 'graph.protocol' }],
    ['a broken connection', { kind: 'reset' }, { failure: 'network', code: 'graph.connection_lost' }],
    ['no answer', { kind: 'hold' }, { failure: 'timeout', code: 'graph.timeout' }],
  ])('is classified, and not tried again: %s', async (_name, fault, expected) => {
    rig.control.fault({ path: 'mailFolders', times: 1, fault });
    await expect(look()).rejects.toMatchObject(expected);
    expect(requests()).toHaveLength(1);
    rig.control.release();
  });

  it('names the request', async () => {
    rig.control.fault({ times: 1, fault: { kind: 'status', status: 500 } });
    await expect(look()).rejects.toThrow(/status 500, UnknownError, request [\da-f-]{36}/);
  });

  it.each([
    ['of all', 'mailFolders/delta'],
    ['of an item of a batch', 'select=id'],
  ])('%s that repeats the token does not tell it', async (_name, path) => {
    const credential = rig.credential();
    const fault = { kind: 'status', status: 500, code: credential.accessToken } as const;
    rig.control.fault({ path, times: 1, fault });
    await expect(look({ credential })).rejects.toThrow(/status 500, \[secret\]/);
  });

  it.each([
    ['access-denied', 'auth', 'graph.access_denied'],
    ['no-mailbox', 'permanent', 'graph.no_mailbox'],
  ] as const)('of the whole mailbox: %s', async (how, failure, code) => {
    rig.control.refuse({ mailbox: rig.mailbox, how });
    await expect(look()).rejects.toMatchObject({ failure, code });
  });

  it('of a folder that is gone', async () => {
    const id = rig.control.createFolder({ mailbox: rig.mailbox, name: 'Work' });
    await importFolder(rig, 'Work');
    rig.control.removeFolder({ mailbox: rig.mailbox, folder: id });
    await expect(rig.pull('Work', 'live')).rejects.toMatchObject({ failure: 'gone' });
  });
});

it('bodies in pieces and in gzip are read', async () => {
  rig.control.behave({ transport: { drip: 1, gzip: 1 } });
  expect(await look()).toHaveLength(1);
});

it('an application asks for the mailbox it was told', async () => {
  await look({ settings: { mailbox: rig.mailbox } });
  expect(
    requests().every(({ path }) => path.startsWith('/users/ada%40example.com/') || path === '/$batch'),
  ).toBe(true);
});

it('a link to another place is not followed', async () => {
  await importFolder(rig, 'Inbox');
  const { mailbox, address } = rig.box('Inbox');
  const cursor = JSON.parse(JSON.stringify(rig.mirror.state.cursors.get(mailbox)));
  for (const origin of ['https://graph.example.com', 'http://127.0.0.1', 'not a link']) {
    const link = cursor.link.replace(/^https:\/\/[^/]+/, origin);
    await expect(pull(await rig.connect(), mailbox, address, { ...cursor, link })).rejects.toMatchObject({
      code: 'graph.foreign_link',
    });
  }
});

it('sessions of one account together ask for three things at a time', async () => {
  rig.control.behave({ latencyMs: [5, 10] });
  await Promise.all(Array.from({ length: 6 }, () => look()));
  const most = Math.max(...requests().map(({ inFlight }) => inFlight));
  expect(most).toBe(3);
  rig.control.assertContract();
});

it('a job that was lost takes its request with it', async () => {
  const lost = new AbortController();
  rig.control.fault({ times: 1, fault: { kind: 'hold' } });
  const session = await rig.connect();
  const pages = session.pull({
    scope: MAILBOXES_SCOPE,
    address: null,
    cursor: null,
    lane: 'live',
    signal: lost.signal,
  });
  const pulling = pages[Symbol.asyncIterator]().next();
  while (rig.control.held() === 0) await wait(1);
  lost.abort();
  await expect(pulling).rejects.toThrow();
  rig.control.release();
});
