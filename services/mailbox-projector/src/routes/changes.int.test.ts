/** The change stream over HTTP, on a real server and a real NATS. */
import { get, type IncomingMessage } from 'node:http';
import { type Bus, connectBus } from '@mailstream/bus';
import { type AccountRef, ChangeLine, changeType, envelope, subjects, uuidv7 } from '@mailstream/contracts';
import {
  AppError,
  type Authenticate,
  createHttpServer,
  createLogger,
  type HttpServer,
} from '@mailstream/runtime';
import { authenticate, createNats, type TestNats, tokenOf } from '@mailstream/testing';
import { Value } from 'typebox/value';
import { afterAll, afterEach, beforeAll, expect, it, vi } from 'vitest';
import { createReaders, type Readers, type ReadersDeps } from '../changes/readers.ts';
import { registerChangesRoute } from './changes.ts';

let nats: TestNats;
let bus: Bus;
const logger = createLogger('test', 'silent');
const closing: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'projector' });
  await bus.ensureTopology();
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

afterAll(async () => {
  await bus?.close();
  await nats?.drop();
});

interface Server {
  readonly app: HttpServer;
  readonly url: string;
  readonly readers: Readers;
}

async function serve({
  slowMs,
  ...options
}: Partial<ReadersDeps> & { slowMs?: number } = {}): Promise<Server> {
  const limits = { all: 100, perTenant: 50 };
  const readers = createReaders({ bus, logger, authenticate, limits, quietMs: 200, ...options });
  const app = await createHttpServer({ title: 'test', logger, authenticate, ready: () => true });
  registerChangesRoute(app, readers, slowMs === undefined ? {} : { slowMs });
  closing.push(() => app.close());
  return { app, readers, url: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

const newAccount = (tenant = 'acme'): AccountRef => ({ tenant, account: uuidv7() });

function publish(at: AccountRef, subject: string, name: 'created' | 'updated' = 'created'): Promise<bigint> {
  const data = { version: '1', origin: 'live', changed: [], state: { subject } };
  const type = changeType('message', name);
  const event = envelope({
    id: uuidv7(),
    source: '/test',
    type,
    time: new Date().toISOString(),
    ...at,
    data,
  });
  return bus.publish({ subject: subjects.change(at, 'message', name), data: event });
}

interface Frame {
  readonly id: string;
  readonly event: string;
  readonly data: string;
}

/** Reads in the background, as a browser does; `id` is the last one that came. */
async function read({ url }: Server, query = '', { tenant = 'acme', lastEventId = '' } = {}) {
  const stop = new AbortController();
  const headers = {
    authorization: `Bearer ${await tokenOf({ tenant })}`,
    ...(lastEventId && { 'last-event-id': lastEventId }),
  };
  const response = await fetch(`${url}/v1/changes?${query}`, { headers, signal: stop.signal });
  const frames: Frame[] = [];
  const reading = { response, frames, id: '', stop: () => stop.abort(), ended: Promise.resolve() };
  const consume = async () => {
    let text = '';
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += part;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? '';
        reading.id = field('id') || reading.id;
        if (field('data')) frames.push({ id: field('id'), event: field('event'), data: field('data') });
      }
    }
  };
  reading.ended = consume().catch(() => undefined);
  closing.push(async () => {
    stop.abort();
    await reading.ended;
  });
  return reading;
}

type Reading = Awaited<ReturnType<typeof read>>;

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 15_000, interval: 20 });
const told = ({ frames }: Reading) => frames.map(({ data }) => JSON.parse(data).data?.state.subject);

it('tells what changes as it changes, of one tenant, selected by account and type', async () => {
  const server = await serve();
  const [ada, bob] = [newAccount(), newAccount()];
  const all = await read(server);
  const selected = await read(server, `accounts=${ada.account}&types=message.updated`);
  expect(all.response.headers.get('content-type')).toContain('text/event-stream');
  await publish(newAccount('other'), "somebody else's");
  await publish(ada, 'a');
  await publish(bob, 'b', 'updated');
  await publish(ada, 'c', 'updated');
  await until(() => expect(told(all)).toEqual(['a', 'b', 'c']));
  await until(() => expect(told(selected)).toEqual(['c']));
  expect(all.frames.map(({ event }) => event)).toEqual([
    'message.created',
    'message.updated',
    'message.updated',
  ]);
});

it('goes on after the last id, also where that is older than what is kept in memory', async () => {
  const at = newAccount();
  const server = await serve();
  const first = await read(server, `accounts=${at.account}`);
  await publish(at, '1');
  await until(() => expect(told(first)).toEqual(['1']));
  const old = first.id;
  first.stop();
  // More than the memory holds, most of it for nobody here.
  const noise = newAccount('noise');
  const data = new TextEncoder().encode('{}');
  for (let n = 0; n < 5; n += 1) {
    const subject = subjects.change(noise, 'message', 'created');
    await bus.publishBatch(
      Array.from({ length: 1_000 }, () => ({ subject, data })),
      null,
    );
    await publish(at, `batch ${n}`);
  }
  const back = await read(await serve(), `accounts=${at.account}`, { lastEventId: old });
  await publish(at, 'new');
  const rest = ['batch 0', 'batch 1', 'batch 2', 'batch 3', 'batch 4', 'new'];
  await until(() => expect(told(back)).toEqual(rest));
  const again = await read(server, `from=${encodeURIComponent(old)}&accounts=${at.account}`);
  await until(() => expect(told(again)).toEqual(rest));
});

it('moves a reader along for whom nothing happens', async () => {
  const server = await serve();
  const quiet = await read(server, 'types=account.removed');
  const before = quiet.id;
  const sequence = await publish(newAccount(), 'not asked for');
  await until(() => expect(BigInt(quiet.id.split('_')[0] ?? 0)).toBeGreaterThanOrEqual(sequence));
  expect(quiet.id).not.toBe(before);
  expect(quiet.frames).toEqual([]);
});

it('tells a reader whose stream was made anew, and does not go on silently', async () => {
  const server = await serve();
  const at = newAccount();
  const reading = await read(server);
  await publish(at, 'a');
  await until(() => expect(told(reading)).toEqual(['a']));
  const lost = `${reading.id.split('_').slice(0, 2).join('_')}_2020-01-01T00:00:00Z`;
  const refused = await read(server, '', { lastEventId: lost });
  expect(refused.response.status).toBe(410);
  const ahead = reading.id.replace(/^\d+_\d*/, '999999999_');
  expect((await read(server, '', { lastEventId: ahead })).response.status).toBe(410);
  const restored = reading.id.replace(/_\d+_/, '_1234567890123_');
  expect((await read(server, '', { lastEventId: restored })).response.status).toBe(410);
  expect((await read(server, 'from=nonsense')).response.status).toBe(400);
  expect((await read(server, 'types=message.exploded')).response.status).toBe(400);
});

it('ends streams with a reason when the server stops, and knows then that nobody reads', async () => {
  const server = await serve();
  const reading = await read(server);
  expect(server.readers.count()).toBe(1);
  await server.app.close();
  await reading.ended;
  expect(reading.frames.map(({ event, data }) => [event, JSON.parse(data).code])).toEqual([
    ['closing', 'changes.stopping'],
  ]);
  expect(server.readers.count()).toBe(0);
});

it('ends the stream of a caller whose token is not accepted any more', async () => {
  let isRevoked = false;
  const revocable: Authenticate = async (given) => {
    if (isRevoked) throw new AppError('auth.refused', 'auth', 'revoked');
    return await authenticate(given);
  };
  const reading = await read(await serve({ authenticate: revocable, recheckMs: 0 }));
  isRevoked = true;
  await reading.ended;
  expect(reading.frames.map(({ data }) => JSON.parse(data).code)).toEqual(['auth.refused']);
});

it('takes so many readers of a tenant, and another when one has gone', async () => {
  const server = await serve({ limits: { all: 3, perTenant: 2 } });
  const first = await read(server);
  await read(server);
  const refused = await read(server);
  expect([refused.response.status, refused.response.headers.get('retry-after')]).toEqual([429, '10']);
  expect((await read(server, '', { tenant: 'other' })).response.status).toBe(200);
  first.stop();
  await until(() => expect(server.readers.count()).toBe(2));
  expect((await read(server)).response.status).toBe(200);
});

it('tells the same as lines of JSON to who asks for them', async () => {
  const server = await serve();
  const at = newAccount();
  const headers = {
    authorization: `Bearer ${await tokenOf({ tenant: 'acme' })}`,
    accept: 'application/x-ndjson',
  };
  const stop = new AbortController();
  closing.push(async () => stop.abort());
  const response = await fetch(`${server.url}/v1/changes?accounts=${at.account}`, {
    headers,
    signal: stop.signal,
  });
  expect(response.headers.get('content-type')).toContain('application/x-ndjson');
  let text = '';
  const consume = async () => {
    for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) text += part;
  };
  const ended = consume();
  const lines = () =>
    text
      .split('\n')
      .slice(0, -1)
      .map((line) => Value.Parse(ChangeLine, JSON.parse(line)));
  await until(() => expect(lines()).toHaveLength(1));
  await publish(at, 'a');
  await until(() => expect(lines().some(({ event }) => event)).toBe(true));
  const told = lines().find(({ event }) => event);
  expect(told?.event).toMatchObject({ account: at.account, data: { state: { subject: 'a' } } });
  const again = await read(server, `accounts=${at.account}&from=${encodeURIComponent(lines()[0]?.id ?? '')}`);
  await until(() => expect(again.id).toBe(told?.id));
  await server.app.close();
  await ended;
  expect(lines().at(-1)?.closing?.code).toBe('changes.stopping');
});

it('cuts off a reader that takes nothing, who goes on from its last id without a gap', async () => {
  const at = newAccount();
  const server = await serve({ slowMs: 300 });
  const headers = { authorization: `Bearer ${await tokenOf({ tenant: 'acme' })}` };
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(`${server.url}/v1/changes?accounts=${at.account}`, { headers, agent: false }, resolve).on(
      'error',
      reject,
    );
  });
  let text = '';
  answer.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  const cut = new Promise<void>((resolve) => answer.on('close', resolve).on('error', () => undefined));
  await until(() => expect(text).toContain('id: '));
  answer.pause();
  // More than lies in sockets on the way.
  const wide = 'x'.repeat(128 * 1_024);
  const all = Array.from({ length: 160 }, (_, n) => `${n} ${wide}`);
  for (const subject of all) await publish(at, subject);
  await until(() => expect(server.readers.count()).toBe(0));
  answer.resume();
  await cut;
  const whole = text.slice(0, text.lastIndexOf('\n\n'));
  const seen = [...whole.matchAll(/^data: (.*)$/gm)].map(
    ([, data = '']) => JSON.parse(data).data.state.subject,
  );
  expect(seen.length).toBeLessThan(all.length);
  const lastEventId = [...whole.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] ?? '';
  const back = await read(server, `accounts=${at.account}`, { lastEventId });
  await until(() => expect(seen.length + back.frames.length).toBe(all.length));
  expect([...seen, ...told(back)].map((subject) => subject.split(' ')[0])).toEqual(
    all.map((_, n) => String(n)),
  );
});

// Last: the stream of all tests is another one afterwards.
it('tells a reader that the stream was made anew while it read', async () => {
  const server = await serve();
  const at = newAccount();
  const reading = await read(server);
  await publish(at, 'a');
  await until(() => expect(told(reading)).toEqual(['a']));
  await bus.request('$JS.API.STREAM.DELETE.CHANGES', {}, 5_000);
  await bus.ensureTopology();
  await publish(at, 'b');
  await reading.ended;
  const last = reading.frames.at(-1);
  expect([last?.event, JSON.parse(last?.data ?? '{}').code]).toEqual(['closing', 'changes.lost']);
  expect(reading.frames).toHaveLength(2);
  const back = await read(server, '', { lastEventId: reading.id });
  expect(back.response.status).toBe(410);
  const anew = await read(server, 'from=beginning');
  await until(() => expect(told(anew)).toEqual(['b']));
});
