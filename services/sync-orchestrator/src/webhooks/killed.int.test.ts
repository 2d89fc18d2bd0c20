/** A process that is killed in the middle of a delivery, the one that comes after it, and how that is stopped. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Bus, connectBus } from '@mailstream/bus';
import { changeType, envelope, subjects, uuidv7 } from '@mailstream/contracts';
import { createDb, type Db } from '@mailstream/db';
import { createLogger, environmentWith } from '@mailstream/runtime';
import { createDatabase, createNats, TEST_AUTH, tokenOf } from '@mailstream/testing';
import { afterAll, expect, it, vi } from 'vitest';

const logger = createLogger('test', 'silent');
const MAIN = new URL('../main.ts', import.meta.url).pathname;
const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.reverse()) await close();
});

const until = <T>(check: () => T | Promise<T>) => vi.waitFor(check, { timeout: 40_000, interval: 50 });

/** A real orchestrator; resolves with where it listens. */
async function start(env: Readonly<Record<string, string>>): Promise<{ child: ChildProcess; url: string }> {
  const { port } = await listening();
  const all = environmentWith({ ...env, MAILSTREAM_HTTP_PORT: String(port) });
  const child = spawn(process.execPath, [MAIN], { env: all, stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  closing.push(() => {
    child.kill('SIGKILL');
    return exited;
  });
  const url = `http://127.0.0.1:${port}`;
  await until(async () => expect((await fetch(`${url}/readyz`)).status).toBe(200));
  return { child, url };
}

/** A port that was free a moment ago. */
async function listening(): Promise<AddressInfo> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return address;
}

async function publish(bus: Bus, at: { tenant: string; account: string }, subject: string): Promise<void> {
  const id = uuidv7();
  const type = changeType('message', 'created');
  const data = { version: '1', origin: 'live', changed: [], state: { subject } };
  const event = envelope({ id, source: '/test', type, time: new Date().toISOString(), ...at, data });
  const headers = { 'ce-id': id, 'ce-type': type };
  await bus.publish({ subject: subjects.change(at, 'message', 'created'), data: event, headers });
}

it('tells what it was telling once more under the same id, and then what follows; stopped, it hears the answer first', async () => {
  const [nats, database] = await Promise.all([createNats(), createDatabase()]);
  closing.push(
    () => nats.drop(),
    () => database.drop(),
  );
  const env = {
    NATS_URL: nats.url,
    DATABASE_URL: database.url,
    MAILSTREAM_JWT_KEY: TEST_AUTH.key ?? '',
    MAILSTREAM_KEY: Buffer.alloc(32, 7).toString('base64'),
    MAILSTREAM_PRIVATE_HOSTS: 'allow',
  };
  const received: { id: unknown; subject: string }[] = [];
  const held: ServerResponse[] = [];
  let isHolding = true;
  const receiver = createServer((request, answer) => {
    let body = '';
    request.setEncoding('utf8').on('data', (part: string) => {
      body += part;
    });
    request.on('end', () => {
      received.push({ id: request.headers['webhook-id'], subject: JSON.parse(body).data.state.subject });
      if (isHolding) held.push(answer);
      else answer.writeHead(204).end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  closing.push(
    () => receiver.close(),
    () => receiver.closeAllConnections(),
  );

  const first = await start(env);
  const bus = await connectBus({ url: nats.url, name: 'test' });
  const db: Db = createDb({ url: database.url, max: 1, applicationName: 'test', logger });
  closing.push(
    () => bus.close(),
    () => db.close(),
  );
  const headers = { authorization: `Bearer ${await tokenOf()}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ url: `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/` });
  const made = await fetch(`${first.url}/v1/webhook-endpoints`, { method: 'POST', headers, body });
  expect(made.status, await made.text()).toBe(201);

  const at = { tenant: 'default', account: uuidv7() };
  for (const subject of ['a', 'b', 'c']) await publish(bus, at, subject);
  await until(() => expect(held).toHaveLength(1));
  first.child.kill('SIGKILL');
  isHolding = false;
  const second = await start(env);
  // The time limits of the one that died are not waited for.
  await db.query("UPDATE control.webhook_lane SET held_until = now() - interval '1 second'");
  await db.query("UPDATE control.webhook_reader SET held_until = now() - interval '1 second'");
  await publish(bus, at, 'd');
  await until(() => expect(received.map(({ subject }) => subject)).toEqual(['a', 'a', 'b', 'c', 'd']));
  expect(received[1]?.id).toBe(received[0]?.id);

  isHolding = true;
  await publish(bus, at, 'e');
  await until(() => expect(held).toHaveLength(2));
  const ended = new Promise((resolve) => second.child.once('exit', resolve));
  second.child.kill('SIGTERM');
  const isReady = () =>
    fetch(`${second.url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    );
  await until(async () => expect(await isReady()).toBe(false));
  held[1]?.writeHead(204).end();
  expect(await ended).toBe(0);
  const last = await db.query('SELECT state FROM control.webhook_delivery ORDER BY sequence DESC LIMIT 1');
  expect(last).toEqual([{ state: 'delivered' }]);
});
