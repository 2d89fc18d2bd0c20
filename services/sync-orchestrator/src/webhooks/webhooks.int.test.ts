/** Webhooks end to end: changes on a real stream, a real receiver that checks signatures with the reference library. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  type AccountRef,
  changeType,
  envelope,
  subjects,
  uuidv7,
  type WebhookCreated,
  type WebhookDelivery,
  type WebhookEndpoint,
  type WebhookRotated,
} from '@mailstream/contracts';
import { Webhook } from 'standardwebhooks';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { startWorld, type World } from '../testkit.ts';

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world?.stop());

interface Received {
  readonly id: string;
  readonly account: string;
  readonly subject: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly status: number;
}

interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** What is answered, by the change's subject. */
  answer: (subject: string) => number;
  close(): void;
}

const receivers: Receiver[] = [];
afterEach(async () => {
  const { body } = await world.call<{ items: WebhookEndpoint[] }>('GET', '/v1/webhook-endpoints');
  for (const { id } of body.items) await world.call('DELETE', `/v1/webhook-endpoints/${id}`);
  for (const receiver of receivers.splice(0)) receiver.close();
});

async function receiver(): Promise<Receiver> {
  const server: Server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts).toString();
      const { id, account, data } = JSON.parse(body);
      const status = own.answer(data.state.subject);
      own.received.push({ id, account, subject: data.state.subject, headers: request.headers, body, status });
      response.writeHead(status).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const own: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    received: [],
    answer: () => 204,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  receivers.push(own);
  return own;
}

async function endpoint(request: object): Promise<WebhookCreated> {
  const { status, body } = await world.call<WebhookCreated>('POST', '/v1/webhook-endpoints', request);
  expect(status, JSON.stringify(body)).toBe(201);
  return body;
}

const get = async ({ id }: { id: string }) =>
  (await world.call<WebhookEndpoint>('GET', `/v1/webhook-endpoints/${id}`)).body;

async function deliveries({ id }: { id: string }, state: string) {
  const { body } = await world.call<{ items: WebhookDelivery[] }>(
    'GET',
    `/v1/webhook-endpoints/${id}/deliveries?state=${state}`,
  );
  return body.items;
}

const newAccount = (tenant = 'default'): AccountRef => ({ tenant, account: uuidv7() });

async function publish(at: AccountRef, subject: string, name: 'created' | 'updated' = 'created') {
  const data = { version: '1', origin: 'live', changed: [], state: { subject } };
  const type = changeType('message', name);
  const id = uuidv7();
  const event = envelope({ id, source: '/test', type, time: new Date().toISOString(), ...at, data });
  const headers = { 'ce-id': id, 'ce-type': type };
  await world.bus.publish({ subject: subjects.change(at, 'message', name), data: event, headers });
  return id;
}

const until = (condition: () => void | Promise<void>) =>
  vi.waitFor(condition, { timeout: 20_000, interval: 30 });
const told = ({ received }: Receiver) =>
  received.filter(({ status }) => status < 300).map(({ subject }) => subject);
/** The next try is not waited for. */
const hurry = () =>
  world.db.query('UPDATE control.webhook_lane SET due_at = now() WHERE due_at < $1', [new Date(8e14)]);

it('tells what was asked for, signed, each under its own id', async () => {
  const at = newAccount();
  const receiving = await receiver();
  const { secret, url } = await endpoint({
    url: receiving.url,
    types: ['message.created'],
    accounts: [at.account],
  });
  expect(url).toBe(receiving.url);
  await publish(newAccount(), "another account's");
  await publish(newAccount('somebody'), "another tenant's");
  await publish(at, 'another type', 'updated');
  const ids = [await publish(at, 'a'), await publish(at, 'b')];
  await until(() => expect(told(receiving)).toEqual(['a', 'b']));
  for (const [index, { headers, body, id }] of receiving.received.entries()) {
    expect([headers['webhook-id'], id]).toEqual([ids[index], ids[index]]);
    const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
    expect(new Webhook(secret).verify(body, signed)).toMatchObject({ type: 'mailstream.message.created.v1' });
    expect(() => new Webhook(secret).verify(`${body} `, signed)).toThrow();
  }
  const listed = (await world.call('GET', '/v1/webhook-endpoints')).body;
  expect(JSON.stringify(listed)).not.toContain(secret);
});

it('keeps the order of an account while one fails; other accounts go on', async () => {
  const [ada, bob] = [newAccount(), newAccount()];
  const receiving = await receiver();
  receiving.answer = (subject) => (subject === 'a1' ? 500 : 204);
  const created = await endpoint({ url: receiving.url });
  for (const subject of ['a1', 'a2', 'a3']) await publish(ada, subject);
  for (const subject of ['b1', 'b2']) await publish(bob, subject);
  await until(() => expect(told(receiving)).toEqual(['b1', 'b2']));
  await until(async () =>
    expect((await deliveries(created, 'waiting')).at(-1)).toMatchObject({ status: 500, error: 'HTTP 500' }),
  );
  expect(await get(created)).toMatchObject({ waiting: 3, state: 'active' });
  receiving.answer = () => 204;
  await hurry();
  await until(() => expect(told(receiving)).toEqual(['b1', 'b2', 'a1', 'a2', 'a3']));
  const tries = receiving.received.filter(({ subject }) => subject === 'a1');
  expect(new Set(tries.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
});

it('signs with the old secret too while a new one is taken up', async () => {
  const at = newAccount();
  const receiving = await receiver();
  const { id, secret } = await endpoint({ url: receiving.url });
  const rotated = await world.call<WebhookRotated>('POST', `/v1/webhook-endpoints/${id}/rotate`, {});
  expect(rotated.body.secret).not.toBe(secret);
  await publish(at, 'a');
  await until(() => expect(told(receiving)).toEqual(['a']));
  await world.call('POST', `/v1/webhook-endpoints/${id}/rotate`, { overlapHours: 0 });
  await publish(at, 'b');
  await until(() => expect(told(receiving)).toEqual(['a', 'b']));
  const accepts = (given: string, received: Received | undefined) => {
    const headers = Object.fromEntries(
      Object.entries(received?.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    try {
      return new Webhook(given).verify(received?.body ?? '', headers) !== null;
    } catch {
      return false;
    }
  };
  const [a, b] = receiving.received;
  expect([accepts(secret, a), accepts(rotated.body.secret, a)]).toEqual([true, true]);
  expect([accepts(secret, b), accepts(rotated.body.secret, b)]).toEqual([false, false]);
});

it('pauses an endpoint that is gone, and tells it what it missed when it goes on', async () => {
  const at = newAccount();
  const receiving = await receiver();
  receiving.answer = () => 410;
  const created = await endpoint({ url: receiving.url });
  await publish(at, 'a');
  await until(async () => expect(await get(created)).toMatchObject({ state: 'paused', reason: 'gone' }));
  await publish(at, 'b');
  receiving.answer = () => 204;
  const on = await world.call<WebhookEndpoint>('PATCH', `/v1/webhook-endpoints/${created.id}`, {
    state: 'active',
  });
  expect(on.body).toMatchObject({ state: 'active', reason: null });
  await until(() => expect(told(receiving)).toEqual(['a', 'b']));
  await until(async () => expect(await get(created)).toMatchObject({ behind: false }));
  await publish(at, 'c');
  await until(() => expect(told(receiving)).toEqual(['a', 'b', 'c']));
});

it('tells again what was published since a time, under the same ids', async () => {
  const at = newAccount();
  const receiving = await receiver();
  const { id } = await endpoint({ url: receiving.url, accounts: [at.account] });
  await publish(at, 'a');
  await until(() => expect(told(receiving)).toEqual(['a']));
  const since = new Date();
  await publish(at, 'b');
  await until(() => expect(told(receiving)).toEqual(['a', 'b']));
  const replay = await world.call('POST', `/v1/webhook-endpoints/${id}/replay`, {
    since: since.toISOString(),
  });
  expect(replay.status).toBe(202);
  await publish(at, 'c');
  await until(() => expect(told(receiving)).toEqual(['a', 'b', 'b', 'c']));
  expect(receiving.received[2]?.id).toBe(receiving.received[1]?.id);
});

it('gives up after three days, shows what it gave up, and tries it again when asked', async () => {
  const at = newAccount();
  const receiving = await receiver();
  receiving.answer = (subject) => (subject === 'bad' ? 422 : 204);
  const created = await endpoint({ url: receiving.url });
  const event = await publish(at, 'bad');
  await publish(at, 'good');
  await until(async () =>
    expect(await deliveries(created, 'waiting')).toMatchObject([{ attempts: 0 }, { attempts: 1 }]),
  );
  await world.db.query(
    "UPDATE control.webhook_delivery SET first_at = now() - interval '4 days' WHERE event = $1",
    [event],
  );
  await hurry();
  await until(() => expect(told(receiving)).toEqual(['good']));
  expect(await deliveries(created, 'dead')).toMatchObject([{ event, status: 422 }]);
  expect(await get(created)).toMatchObject({ dead: 1, waiting: 0, state: 'active' });
  receiving.answer = () => 204;
  const url = `/v1/webhook-endpoints/${created.id}/deliveries/${event}/retry`;
  expect((await world.call('POST', url)).status).toBe(202);
  await until(() => expect(told(receiving)).toEqual(['good', 'bad']));
  expect((await world.call('POST', url)).status).toBe(404);
});

it('is told once by two processes, in the order of each account', async () => {
  const second = await world.replicate();
  const receiving = await receiver();
  await endpoint({ url: receiving.url });
  const accounts = Array.from({ length: 6 }, () => newAccount());
  const rounds = Array.from({ length: 20 }, (_, n) => String(n));
  for (const round of rounds) for (const at of accounts) await publish(at, round);
  await until(() => expect(receiving.received.length).toBe(rounds.length * accounts.length));
  const heard = (account: string) => receiving.received.filter((one) => one.account === account);
  const subjects = (of: ReturnType<typeof heard>) => of.map(({ subject }) => subject);
  for (const { account } of accounts) expect(subjects(heard(account))).toEqual(rounds);
  await second.stop();
  // Whoever reads now reads on: what was read before is not put up again. Only what the other had no answer to yet comes again, under its id.
  const [at = newAccount()] = accounts;
  await publish(at, 'after');
  await until(() => expect(told(receiving)).toContain('after'));
  for (const { account } of accounts) {
    const ids = heard(account).map(({ headers }) => headers['webhook-id']);
    const once = heard(account).filter((_, n) => ids.indexOf(ids[n]) === n);
    expect(subjects(once)).toEqual(account === at.account ? [...rounds, 'after'] : rounds);
    expect(ids.length - once.length).toBeLessThanOrEqual(1);
  }
});

it('can be signed for after the key-encryption key was changed', async () => {
  const at = newAccount();
  const receiving = await receiver();
  const { secret } = await endpoint({ url: receiving.url });
  world.keys.unshift({ id: 'second', key: Buffer.alloc(32, 8) });
  await world.call('POST', '/v1/keys/rotate', {});
  world.keys.pop();
  await publish(at, 'a');
  await until(() => expect(told(receiving)).toEqual(['a']));
  const [{ body, headers } = { body: '', headers: {} }] = receiving.received;
  const signed = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  expect(new Webhook(secret).verify(body, signed)).toMatchObject({ account: at.account });
});

it('refuses what is no endpoint, and shows none of another tenant', async () => {
  const create = async (url: string) => (await world.call('POST', '/v1/webhook-endpoints', { url })).status;
  expect(await create('ftp://example.com/')).toBe(400);
  expect(await create('https://user:secret@example.com/')).toBe(400);
  expect(await create('nonsense')).toBe(400);
  expect((await world.call('GET', `/v1/webhook-endpoints/${uuidv7()}`)).status).toBe(404);
});
