/** Every route of the door, and both streams of changes, called by another tenant: nothing of ours is seen, nothing of ours changes. */
import document from '@mailstream/contracts/openapi.json' with { type: 'json' };
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { EXAMPLES } from './openapi/examples.ts';
import { type Caller, type System, startSystem, tellMail } from './testkit-system.ts';

const OURS = 'ours';
/** In every name and text of ours. */
const CANARY = 'canary-of-ours';

let system: System;
let ours: Caller;
let theirs: Caller;
/** What each parameter of a path stands for, by the path up to it. */
const ids = new Map<string, string>();

const until = <T>(check: () => Promise<T>) => vi.waitFor(check, { timeout: 30_000, interval: 50 });

beforeAll(async () => {
  system = await startSystem();
  ours = await system.callerOf(OURS);
  theirs = await system.callerOf('theirs');
  await fill();
});
afterAll(() => system?.stop());

async function post(path: string, body: object): Promise<Record<string, string>> {
  const { status, text } = await ours.call('POST', path, body);
  expect([path, status], text).toEqual([path, 201]);
  return JSON.parse(text);
}

async function first(path: string): Promise<Record<string, string>> {
  const { text } = await ours.call('GET', path);
  const [item] = JSON.parse(text).items;
  expect(item, path).toBeDefined();
  return item;
}

/** All that a tenant may have. */
async function fill(): Promise<void> {
  const endpoint = await post('/v1/webhook-endpoints', {
    url: `https://${CANARY}.example.com/`,
    name: CANARY,
  });
  const key = await post('/v1/api-keys', { name: CANARY, scopes: ['admin'] });
  const account = await post('/v1/accounts', {
    ...Object(EXAMPLES.AccountCreate),
    name: CANARY,
    settings: { host: `${CANARY}.example.com`, user: CANARY, secure: true },
  });
  const at = { tenant: OURS, account: String(account.id) };
  await tellMail(system.bus, at, CANARY);
  const letter = { stream: 'MAIL', sequence: '1', subject: `mail.00.${OURS}.${at.account}.message.changed` };
  const why = {
    reason: 'not-json',
    detail: CANARY,
    parkedAt: '2026-01-01T00:00:00Z',
    payload: '',
    truncated: false,
  };
  const parked = await system.bus.publish({ subject: 'dead.mail.not-json', data: { ...letter, ...why } });
  const message = await until(() => first('/v1/messages'));
  const delivery = await until(() => first(`/v1/webhook-endpoints/${endpoint.id}/deliveries`));
  for (const [path, id] of [
    ['/v1/accounts', at.account],
    ['/v1/api-keys', key.prefix],
    ['/v1/connect', 'microsoft'],
    ['/v1/messages', message.id],
    ['/v1/past/messages', message.id],
    ['/v1/parked', String(parked)],
    ['/v1/threads', message.thread],
    ['/v1/webhook-endpoints', endpoint.id],
    [`/v1/webhook-endpoints/${endpoint.id}/deliveries`, delivery.event],
  ] as const)
    ids.set(path, id ?? '');
}

interface Operation {
  readonly security?: readonly unknown[];
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: unknown;
}

interface Call {
  readonly method: string;
  /** With parameters filled in. */
  readonly path: string;
  readonly body: unknown;
  /** Of something of ours. */
  readonly isOurs: boolean;
}

/** Streams have no end, and are looked at below. */
const STREAMS = ['/v1/changes', '/v1/changes/ws'];
const PATHS: Readonly<Record<string, Readonly<Record<string, Operation>>>> = JSON.parse(
  JSON.stringify(document.paths),
);

/** What is there for everybody. */
const OF_NOBODY = ['/v1/connect'];

/** Every call there is, those with `account` and the like once more with it. First those that name nothing of ours, so that it cannot be named back; last those that end something. */
function calls(): Call[] {
  const all = Object.entries(PATHS)
    .filter(([route]) => !STREAMS.includes(route))
    .flatMap(([route, item]) =>
      Object.entries(item)
        .filter(([, { security }]) => security?.length !== 0)
        .flatMap(([method, operation]) => callsOf(route, method.toUpperCase(), operation)),
    );
  const rank = ({ method, path, isOurs }: Call) =>
    method === 'DELETE' ? 2 : Number(isOurs || path.includes('?'));
  return all.toSorted((a, b) => rank(a) - rank(b));
}

function callsOf(route: string, method: string, { parameters = [], requestBody }: Operation): Call[] {
  const path = filled(route);
  const body = requestBody === undefined ? undefined : bodyOf(requestBody);
  const isOurs = path !== route && !OF_NOBODY.some((prefix) => path.startsWith(prefix));
  const selecting = parameters
    .filter((parameter) => parameter.in === 'query')
    .flatMap(({ name }) =>
      (name === 'account' ? ['/v1/accounts'] : name === 'thread' ? ['/v1/threads'] : []).map(
        (of) => `${name}=${ids.get(of)}`,
      ),
    );
  // Of the past nothing is told without an account and a time.
  const isPast = parameters.some(({ name }) => name === 'at');
  const queries = selecting.map((query) => `${path}?${query}${isPast ? '&at=2100-01-01T00:00:00Z' : ''}`);
  const all = isPast ? queries : [path, ...queries];
  return all.map((one) => ({ method, path: one, body, isOurs }));
}

/** A new parameter has to be named above: only then is it known what another tenant would ask for. */
function filled(route: string): string {
  return route.split('/').reduce((path, part) => {
    if (!part.startsWith('{')) return path === '' && part === '' ? '' : `${path}/${part}`;
    const id = ids.get(path);
    if (id === undefined) throw new Error(`this test has no id of ours for ${part} in ${route}`);
    return `${path}/${id}`;
  }, '');
}

/** The example of the shape that the body refers to. */
function bodyOf(requestBody: unknown): unknown {
  const [, name = ''] = /"#\/components\/schemas\/(\w+)"/.exec(JSON.stringify(requestBody)) ?? [];
  const example = EXAMPLES[name];
  if (example === undefined) throw new Error(`examples.ts has no example of ${name}`);
  return example;
}

/** All that we see of ours, but for what changes by itself. */
async function whatWeSee(): Promise<Map<string, number>> {
  const seen = new Map<string, number>();
  for (const { method, path } of calls().filter(
    (one) => one.method === 'GET' && !one.path.startsWith('/v1/connect'),
  )) {
    const { status, text } = await ours.call(method, path);
    seen.set(`${path} ${text.includes(CANARY)}`, status);
  }
  return seen;
}

describe('another tenant', () => {
  it('sees nothing of ours by any route, and changes nothing', async () => {
    const before = await whatWeSee();
    // Or there would be nothing to be kept from anybody.
    const shown = [...before.keys()]
      .filter((key) => key.endsWith(' true'))
      .map((key) => key.split('/')[2]?.split(/[? ]/)[0]);
    expect(new Set(shown)).toEqual(
      new Set([
        'accounts',
        'api-keys',
        'audit',
        'doctor',
        'messages',
        'parked',
        'past',
        'snapshot',
        'status',
        'threads',
        'webhook-endpoints',
      ]),
    );
    for (const { method, path, body, isOurs } of calls()) {
      const { status, text } = await theirs.call(method, path, body);
      const what = `${method} ${path} ${JSON.stringify(body)}: ${status} ${text}`;
      expect(text, what).not.toContain(CANARY);
      expect(status, what).toBeLessThan(500);
      // The gateway has no accounts to look into: a hint for one that the tenant does not have is dropped behind it.
      if (path.endsWith('/sync')) expect(status, what).toBe(202);
      else if (isOurs) expect(status, what).toBe(404);
      else if (path.includes('?')) expect([404, 200], what).toContain(status);
      // What was asked for is named in the answer that it is not there.
      if (!isOurs && !path.includes('?'))
        for (const [of, id] of ids)
          if (!OF_NOBODY.includes(of) && of !== '/v1/parked') expect(text, what).not.toContain(id);
    }
    expect(await whatWeSee()).toEqual(before);
  });

  it('is told no change of ours, whatever it asks for', async () => {
    const account = ids.get('/v1/accounts') ?? '';
    const own = JSON.parse((await theirs.call('POST', '/v1/accounts', EXAMPLES.AccountCreate)).text);
    const streams = await Promise.all(
      ['', `accounts=${account},${own.id}`].flatMap((query) => [events(query), socket(query)]),
    );
    const narrow = [await events(`accounts=${account}`), await socket(`accounts=${account}`)];
    await ours.call('PATCH', `/v1/accounts/${account}`, { name: `${CANARY} again` });
    await theirs.call('PATCH', `/v1/accounts/${own.id}`, { name: 'the end' });
    await until(async () => {
      for (const { text } of streams) expect(text()).toContain('the end');
    });
    for (const { text, close } of [...streams, ...narrow]) {
      expect(text()).not.toContain(CANARY);
      close();
    }
  });
});

interface Reading {
  text(): string;
  close(): void;
}

async function events(query: string): Promise<Reading> {
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${theirs.token}` };
  const answer = await fetch(`${system.url}/v1/changes?${query}`, { headers, signal: stop.signal });
  let text = '';
  const read = async () => {
    for await (const part of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) text += part;
  };
  read().catch(() => undefined);
  await until(async () => expect(text).toContain('id: '));
  return { text: () => text, close: () => stop.abort() };
}

async function socket(query: string): Promise<Reading> {
  const address = `${system.url.replace('http', 'ws')}/v1/changes/ws?${query}`;
  const reading = new WebSocket(address, { headers: { authorization: `Bearer ${theirs.token}` } });
  let text = '';
  reading.on('message', (data) => {
    text += String(data);
  });
  await until(async () => expect(text).toContain('"id"'));
  return { text: () => text, close: () => reading.terminate() };
}
