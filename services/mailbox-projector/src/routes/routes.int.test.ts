import { createHttpServer, createLogger, type HttpServer } from '@mailstream/runtime';
import { authenticate, tokenOf, walkRoutes } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { account, at, createLog, mailbox, seen, TENANT } from '../testkit.ts';
import { createTestView, type TestView } from '../testkit-view.ts';
import { registerMailboxRoutes } from './mailboxes.ts';
import { registerMessageRoutes } from './messages.ts';
import { registerStatusRoutes } from './status.ts';
import { registerThreadRoutes } from './threads.ts';

const TOKEN = await tokenOf();

let view: TestView;
let app: HttpServer;

beforeAll(async () => {
  view = await createTestView();
  app = await createHttpServer({
    title: 'test',
    logger: createLogger('test', 'silent'),
    authenticate,
    ready: () => true,
  });
  registerMessageRoutes(app, view.tenants);
  registerThreadRoutes(app, view.tenants);
  registerMailboxRoutes(app, view.tenants);
  registerStatusRoutes(app, {
    bus: { state: async () => ({ created: '', first: 1n, last: 0n, messages: 0, bytes: 0 }) },
    db: view.db,
    tenants: view.tenants,
    fold: { lag: async () => [] },
  });

  const log = createLog();
  const day = (n: number) => `2026-01-${String(n).padStart(2, '0')}T00:00:00.000Z`;
  const mails = Array.from({ length: 25 }, (_, n) =>
    seen(
      at('A', n + 1),
      {
        messageId: `m${n}`,
        subject: n === 7 ? 'Grüße, 100% _sure_' : `Mail ${n}`,
        from: [{ name: n % 2 ? 'Ada' : 'Bob', address: `x${n}@example.com` }],
        receivedAt: day(1 + (n % 20)),
      },
      { flags: n % 5 === 0 ? ['flagged'] : ['seen'] },
    ),
  );
  await view.fold(
    log.alone(account('added')),
    log.alone(account('added'), { account: 'other' }),
    log.page('mailboxes', [mailbox('A', { path: 'INBOX', role: 'inbox' }), mailbox('B', { path: 'Work/B' })]),
    log.page('A', mails),
    log.page('B', [seen(at('B', 1), { messageId: 'b1' })]),
    log.page('A', [seen(at('A', 1), { messageId: 'o1' })], { account: 'other' }),
    { ...log.alone(account('added'), { account: 'foreign' }), tenant: 'somebody' },
    { ...log.page('A', [seen(at('A', 1))], { account: 'foreign' }), tenant: 'somebody' },
  );
});

afterAll(async () => {
  await app.close();
  await view.drop();
});

interface Item {
  readonly id: string;
  readonly account: string;
  readonly subject: string;
  readonly receivedAt: string;
}

async function get(url: string) {
  const response = await app.inject({ url, headers: { authorization: `Bearer ${TOKEN}` } });
  return { status: response.statusCode, body: response.json() };
}

async function items(url: string): Promise<Item[]> {
  const { status, body } = await get(url);
  expect([status, body.error]).toEqual([200, undefined]);
  return body.items;
}

describe('GET /v1/messages', () => {
  it('gives every message once, newest first, however the pages are cut', async () => {
    const all = await items('/v1/messages?account=acc&limit=500');
    expect(all).toHaveLength(26);
    expect(all.map((m) => m.receivedAt)).toEqual(
      all
        .map((m) => m.receivedAt)
        .sort()
        .reverse(),
    );
    const paged: Item[] = [];
    for (let next: string | null = ''; next !== null; ) {
      const { body } = await get(`/v1/messages?account=acc&limit=3${next && `&after=${next}`}`);
      paged.push(...body.items);
      next = body.next;
    }
    expect(paged).toEqual(all);
  });

  it('is of all accounts of the tenant, and of no other tenant', async () => {
    const all = await items('/v1/messages?limit=500');
    expect(new Set(all.map((m) => m.account))).toEqual(new Set(['acc', 'other']));
    expect((await get('/v1/messages?account=foreign')).status).toBe(404);
  });

  it.each([
    ['mailbox=inbox', 25],
    ['mailbox=INBOX', 25],
    ['mailbox=A', 25],
    ['mailbox=Work/B', 1],
    ['mailbox=nowhere', 0],
    ['unread=true', 6],
    ['unread=false', 20],
    ['flagged=true', 5],
    ['from=ada', 13],
    ['from=x7@EXAMPLE', 1],
    ['text=gr%C3%BC%C3%9Fe', 1],
    ['text=100%25 _sure_', 1],
    ['text=%25', 1],
    ['text=noon&mailbox=B', 1],
  ])('filters by %s', async (query, count) => {
    expect(await items(`/v1/messages?account=acc&limit=500&${query}`)).toHaveLength(count);
  });

  it.each([
    'limit=0',
    'limit=501',
    'limit=x',
    'unread=maybe',
    'after=rubbish',
    'thread=1',
    'from=',
    'order=oldest',
  ])('refuses %s', async (query) => {
    const { status, body } = await get(`/v1/messages?${query}`);
    expect(status).toBe(400);
    expect(body.error.code).toMatch(/^api\./);
    expect(body.error.message).toContain(query.split('=')[0]);
  });
});

describe('one thing by its id', () => {
  it('is as in the list', async () => {
    const [first] = await items('/v1/messages?account=acc&limit=1');
    expect((await get(`/v1/messages/${first?.id}`)).body).toEqual(first);
    const [thread] = await items('/v1/threads?account=acc&limit=1');
    expect((await get(`/v1/threads/${thread?.id}`)).body).toEqual(thread);
    expect(await items(`/v1/messages?thread=${thread?.id}`)).toHaveLength(1);
  });

  it('is not there for another tenant, nor when it never was', async () => {
    const rows = await view.db.query<{ id: string; thread: string }>(
      'select id, thread from view.message where tenant <> $1',
      [TENANT],
    );
    expect(rows).toHaveLength(1);
    const none = '00000000-0000-8000-8000-000000000000';
    for (const id of [rows[0]?.id, none]) expect((await get(`/v1/messages/${id}`)).status).toBe(404);
    for (const id of [rows[0]?.thread, none]) expect((await get(`/v1/threads/${id}`)).status).toBe(404);
    expect((await get('/v1/messages/1')).status).toBe(400);
  });
});

describe('the other lists', () => {
  it('are of the account asked for', async () => {
    const { body } = await get('/v1/mailboxes?account=acc');
    expect(body.items.map((m: { path: string; messages: number }) => [m.path, m.messages])).toEqual([
      ['INBOX', 25],
      ['Work/B', 1],
    ]);
    expect((await items('/v1/runs?account=acc')).length).toBe(3);
    expect((await items('/v1/threads?limit=500')).length).toBe(27);
    for (const list of ['mailboxes', 'runs', 'threads'])
      expect((await get(`/v1/${list}?account=foreign`)).status).toBe(404);
  });
});

describe('every route', () => {
  it('is for callers with its scope only', async () => {
    const routes = await walkRoutes(app, (url) => url.replace(':id', '00000000-0000-8000-8000-000000000000'));
    expect(Object.fromEntries(routes.map(({ method, url, needs }) => [`${method} ${url}`, needs]))).toEqual({
      'GET /v1/messages': 'messages:read',
      'GET /v1/messages/:id': 'messages:read',
      'GET /v1/threads': 'messages:read',
      'GET /v1/threads/:id': 'messages:read',
      'GET /v1/mailboxes': 'messages:read',
      'GET /v1/runs': 'accounts:read',
      'GET /v1/projection/status': 'accounts:read',
    });
    for (const { withoutToken, withOtherScopes } of routes)
      expect([withoutToken, withOtherScopes]).toEqual([401, 403]);
  });

  it('shows another tenant nothing', async () => {
    const [message] = await items('/v1/messages?account=acc&limit=1');
    const [thread] = await items('/v1/threads?account=acc&limit=1');
    const headers = { authorization: `Bearer ${await tokenOf({ tenant: 'somebody' })}` };
    const ask = (url: string) => app.inject({ url, headers });
    for (const url of [`/v1/messages/${message?.id}`, `/v1/threads/${thread?.id}`])
      expect((await ask(url)).statusCode).toBe(404);
    for (const list of ['messages', 'threads', 'mailboxes', 'runs']) {
      expect((await ask(`/v1/${list}?account=acc`)).statusCode, list).toBe(404);
      const seen: Item[] = (await ask(`/v1/${list}`)).json().items;
      expect(new Set(seen.map((item) => item.account)), list).not.toContain('acc');
    }
    const ofThread = await ask(`/v1/messages?thread=${thread?.id}`);
    expect(ofThread.json().items).toEqual([]);
    await view.db.query('update view.mailbox set drift = 1');
    const ours = await get('/v1/projection/status');
    expect(ours.body.drift.length).toBeGreaterThan(0);
    const { drift } = (await ask('/v1/projection/status')).json();
    expect(drift.filter((row: Item) => row.account !== 'foreign')).toEqual([]);
  });
});
