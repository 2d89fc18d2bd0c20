/** The examples, run as anybody would run them, against real servers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Bus, connectBus } from '@mailstream/bus';
import { type AccountRef, changeType, envelope, subjects, uuidv7 } from '@mailstream/contracts';
import { createDatabase, createNats, type TestDatabase, type TestNats } from '@mailstream/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';

let nats: TestNats;
let database: TestDatabase;
let bus: Bus;
let lending: Promise<void>;
const over = new AbortController();
let api: Server;
let running: ChildProcess | null = null;

const ACCOUNT: AccountRef = { tenant: 'default', account: uuidv7() };

beforeAll(async () => {
  [nats, database] = await Promise.all([createNats(), createDatabase()]);
  bus = await connectBus({ url: nats.url, name: 'test' });
  await bus.ensureTopology();
  lending = bus.lendReaders(over.signal);
  api = createServer(
    (_request, response) => void snapshot().then((page) => response.end(JSON.stringify(page))),
  );
  api.listen(0, '127.0.0.1');
  await once(api, 'listening');
});

afterEach(async () => {
  if (!running) return;
  const exited = once(running, 'exit');
  running.kill('SIGTERM');
  const [code] = await exited;
  running = null;
  expect(code).toBe(0);
});

afterAll(async () => {
  api?.close();
  over.abort();
  await lending;
  await bus?.close();
  await Promise.all([nats?.drop(), database?.drop()]);
});

/** One message that is there already: what the projector answers is tested with the projector. */
async function snapshot(): Promise<object> {
  const { created: stream, last } = await bus.state('CHANGES');
  const messages = [mail(uuidv7(), '1', 'From the snapshot', 'ada@example.com')];
  return {
    ...{ stream, sequence: String(last), account: ACCOUNT.account, version: '1', through: null, next: null },
    ...{ accounts: [], mailboxes: [], messages },
  };
}

function mail(id: string, version: string, subject: string, address: string) {
  const receivedAt = '2026-03-01T12:00:00.000Z';
  return {
    ...{ id, account: ACCOUNT.account, version, thread: uuidv7(), subject, receivedAt, sentAt: null },
    ...{ from: [{ name: 'Ada', address }], sender: [], replyTo: [], to: [], cc: [], bcc: [] },
    ...{ recipientsOmitted: 0, size: null, messageId: null, snippet: null, attachments: [] },
    ...{ flags: [], unread: true, copies: [] },
  };
}

async function tell(verb: 'created' | 'deleted', state: ReturnType<typeof mail>): Promise<void> {
  const data = { version: state.version, origin: 'live', changed: [], state };
  const draft = { id: uuidv7(), source: '/test', type: changeType('message', verb), time: state.receivedAt };
  const event = envelope({ ...draft, ...ACCOUNT, data });
  await bus.publish({ subject: subjects.change(ACCOUNT, 'message', verb), data: event });
}

/** Starts an example; what it printed so far. */
function start(file: string): () => string {
  const { port } = api.address() as AddressInfo;
  const env = {
    ...{ NATS_URL: nats.url, CRM_DATABASE_URL: database.url },
    ...{ MAILSTREAM_URL: `http://127.0.0.1:${port}`, MAILSTREAM_TOKEN: 'token' },
  };
  let printed = '';
  running = spawn(process.execPath, [`${import.meta.dirname}/${file}`], { env, stdio: 'pipe' });
  for (const stream of [running.stdout, running.stderr])
    stream?.on('data', (chunk: Buffer) => {
      printed += chunk.toString();
    });
  return () => printed;
}

const until = (condition: () => void | Promise<void>) =>
  vi.waitFor(condition, { timeout: 20_000, interval: 50 });

it('subscriber.ts prints new mail, and goes on where it was', async () => {
  await tell('created', mail(uuidv7(), '2', 'Hello', 'ada@example.com'));
  const first = start('subscriber.ts');
  await until(() => expect(first()).toBe('new: ada@example.com: Hello\n'));
  running?.kill('SIGTERM');
  await once(running!, 'exit');
  await tell('created', mail(uuidv7(), '3', 'Again', 'bob@example.com'));
  const second = start('subscriber.ts');
  await until(() => expect(second()).toBe('new: bob@example.com: Again\n'));
});

it('crm-contacts.ts keeps contacts with what they wrote last', async () => {
  const pool = new pg.Pool({ connectionString: database.url });
  try {
    const output = start('crm-contacts.ts');
    const contacts = async () => {
      const { rows } = await pool.query(
        'SELECT address, name, mails, last_subject FROM crm.contact ORDER BY address',
      );
      return rows;
    };
    const ada = { address: 'ada@example.com', name: 'Ada' };
    await until(async () =>
      expect(await contacts(), output()).toEqual([{ ...ada, mails: 1, last_subject: 'From the snapshot' }]),
    );
    const second = {
      ...mail(uuidv7(), '4', 'Later', 'ADA@example.com'),
      receivedAt: '2026-03-02T12:00:00.000Z',
    };
    await tell('created', second);
    await until(async () => expect(await contacts()).toEqual([{ ...ada, mails: 2, last_subject: 'Later' }]));
    await tell('deleted', { ...second, version: '5' });
    await until(async () =>
      expect(await contacts()).toEqual([{ ...ada, mails: 1, last_subject: 'From the snapshot' }]),
    );
  } finally {
    await pool.end();
  }
});
