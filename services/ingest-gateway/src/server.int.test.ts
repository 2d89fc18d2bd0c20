import { PassThrough } from 'node:stream';
import { type Bus, connectBus } from '@mailstream/bus';
import { subjects, uuidv7 } from '@mailstream/contracts';
import { readNotificationsConfig } from '@mailstream/providers/webhooks';
import {
  CLIENT_IP_HEADER,
  clientIpOf,
  createHttpServer,
  createLogger,
  DEFAULT_TENANT,
  type HttpServer,
  REQUEST_ID_HEADER,
  readEnv,
} from '@mailstream/runtime';
import { authenticate, createNats, type TestNats, tokenOf } from '@mailstream/testing';
import { Type } from 'typebox';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createServer } from './server.ts';

const headers = { authorization: `Bearer ${await tokenOf()}` };
const logger = createLogger('test', 'silent');
const notificationsConfig = readNotificationsConfig(readEnv({}), null);
/** Nobody listens on port 9 of the loopback interface. */
const NOBODY = 'http://127.0.0.1:9';

const open: HttpServer[] = [];
let nats: TestNats;
let bus: Bus;

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'gateway-test' });
  await bus.ensureTopology();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

afterAll(async () => {
  await bus?.close();
  await nats?.drop();
});

/** A service as it stands behind the gateway: the same server kit, the same authentication. */
async function startUpstream(title: string, register: (app: HttpServer) => void): Promise<string> {
  const app = await createHttpServer({ title, logger, authenticate, ready: () => true });
  app.addHook('onRoute', (route) => {
    route.config ??= { scope: 'any' };
  });
  register(app);
  open.push(app);
  return app.listen({ host: '127.0.0.1', port: 0 });
}

const startOrchestrator = () =>
  startUpstream('orchestrator', (app) => {
    app.get('/v1/accounts', async (request) => ({ items: [], next: null, query: request.query }));
    app.get('/v1/accounts/:id', async (request) => request.params);
    app.post('/v1/accounts', async (request, reply) => reply.status(201).send({ got: request.body }));
    app.post('/v1/accounts/:id/pause', async (request) => ({ tenant: request.principal.tenant }));
    app.delete('/v1/accounts/:id', async (_request, reply) => reply.status(204).send());
    app.get('/v1/status', async (_request, reply) =>
      reply.status(503).send({ error: { code: 'bus.disconnected', message: 'not connected' } }),
    );
    app.get('/v1/connect/:provider', async (_request, reply) =>
      reply.redirect('https://login.example.com/authorize?state=a%20b', 302),
    );
    app.get('/v1/connect/:provider/callback', { config: { open: true } }, async (request, reply) =>
      reply.type('text/html').send(`<p>${request.url}`),
    );
    app.get('/v1/internal', async () => 'not for outside');
  });

const startProjector = () =>
  startUpstream('projector', (app) => {
    app.get(
      '/v1/messages',
      { schema: { querystring: Type.Object({ text: Type.Optional(Type.String()) }) } },
      async (request) => ({ items: [request.query.text], next: null }),
    );
    app.get('/v1/projection/status', async () => ({ lag: 0 }));
  });

async function startGateway(upstreams: { orchestrator?: string; projector?: string } = {}, on: Bus = bus) {
  const { app } = await createServer({
    bus: on,
    logger,
    authenticate,
    upstreams: { orchestrator: NOBODY, projector: NOBODY, ...upstreams },
    notificationsConfig,
  });
  open.push(app);
  return app;
}

describe('POST /v1/accounts/:id/sync', () => {
  it.each([
    ['without a body', undefined, 'user'],
    ['for a person', { reason: 'user' }, 'user'],
    ['for a push', { reason: 'push' }, 'push'],
  ] as const)('stores a hint %s', async (_name, payload, reason) => {
    const gateway = await startGateway();
    const account = uuidv7();
    const url = `/v1/accounts/${account}/sync`;
    const answer = await gateway.inject({ method: 'POST', url, headers, ...(payload && { payload }) });
    expect(answer.statusCode).toBe(202);
    const stored = await bus.last('SYNC', subjects.hint({ tenant: DEFAULT_TENANT, account }, reason));
    expect(answer.json()).toEqual({ accepted: true, sequence: String(stored?.sequence) });
  });

  it.each([
    ['an id that is none', 'abc', undefined, 'id'],
    ['an id with dots', 'a.b.c', undefined, 'id'],
    ['a wildcard', '*', undefined, 'id'],
    ['an unknown reason', uuidv7(), { reason: 'whim' }, 'reason'],
    ['another field', uuidv7(), { why: 'not' }, 'body'],
  ])('refuses %s', async (_name, id, payload, mentions) => {
    const gateway = await startGateway();
    const answer = await gateway.inject({
      method: 'POST',
      url: `/v1/accounts/${id}/sync`,
      headers,
      ...(payload && { payload }),
    });
    expect(answer.statusCode).toBe(400);
    expect(answer.json().error).toMatchObject({
      code: 'api.invalid',
      message: expect.stringContaining(mentions),
    });
  });

  it('wants the token', async () => {
    const gateway = await startGateway();
    const url = `/v1/accounts/${uuidv7()}/sync`;
    const none = await gateway.inject({ method: 'POST', url });
    expect(none.statusCode).toBe(401);
    expect(none.json().error.code).toBe('auth.missing');
    const wrong = await gateway.inject({ method: 'POST', url, headers: { authorization: 'Bearer guess' } });
    expect(wrong.statusCode).toBe(401);
    expect(wrong.json().error.code).toBe('auth.refused');
  });

  it('says 503 while NATS is down, and works when it is back', async () => {
    const own = await createNats();
    const connection = await connectBus({ url: own.url, name: 'gateway-test' });
    try {
      await connection.ensureTopology();
      const gateway = await startGateway({}, connection);
      const request = { method: 'POST', url: `/v1/accounts/${uuidv7()}/sync`, headers } as const;
      await own.kill();
      await expect.poll(() => connection.connected()).toBe(false);
      const down = await gateway.inject(request);
      expect(down.statusCode).toBe(503);
      expect(down.json().error.code).toBe('gateway.hint_not_stored');
      expect((await gateway.inject('/readyz')).statusCode).toBe(503);
      await own.restart();
      await expect.poll(() => connection.connected(), { timeout: 10_000 }).toBe(true);
      expect((await gateway.inject(request)).statusCode).toBe(202);
      expect((await gateway.inject('/readyz')).statusCode).toBe(200);
    } finally {
      await connection.close();
      await own.drop();
    }
  });
});

describe('the proxy', () => {
  it('lets browsers come back from a sign-in without a token, and nowhere else', async () => {
    const gateway = await startGateway({ orchestrator: await startOrchestrator() });
    const sent = await gateway.inject({ url: '/v1/connect/microsoft', headers });
    expect([sent.statusCode, sent.headers.location]).toEqual([
      302,
      'https://login.example.com/authorize?state=a%20b',
    ]);
    const back = await gateway.inject('/v1/connect/microsoft/callback?code=a%2Bb&state=c');
    expect([back.statusCode, back.body]).toEqual([
      200,
      '<p>/v1/connect/microsoft/callback?code=a%2Bb&state=c',
    ]);
    for (const url of [
      '/v1/connect/microsoft',
      '/v1/connect/microsoft/callback/x',
      '/v1/connect/a/b/callback',
      '/v1/connect/..%2Faccounts%3F/callback',
      '/v1/connect/../accounts',
    ])
      expect((await gateway.inject(url)).statusCode, url).not.toBe(200);
  });

  it('says from where a call comes, whatever the caller says, and in which request', async () => {
    const orchestrator = await startUpstream('orchestrator', (app) => {
      app.get('/v1/audit', async (request) => ({ ip: clientIpOf(request), id: request.id }));
    });
    const gateway = await startGateway({ orchestrator });
    const lies = { [CLIENT_IP_HEADER]: '203.0.113.7', 'x-forwarded-for': '203.0.113.7' };
    const answer = await gateway.inject({
      url: '/v1/audit',
      headers: { ...headers, ...lies, [REQUEST_ID_HEADER]: 'request-7' },
    });
    expect(answer.json()).toEqual({ ip: '127.0.0.1', id: 'request-7' });
  });

  it('passes calls on with query, body and token, and answers as they are', async () => {
    const gateway = await startGateway({
      orchestrator: await startOrchestrator(),
      projector: await startProjector(),
    });
    const list = await gateway.inject({ url: '/v1/accounts?after=a%2Fb', headers });
    expect(list.json()).toEqual({ items: [], next: null, query: { after: 'a/b' } });
    const created = await gateway.inject({
      method: 'POST',
      url: '/v1/accounts',
      headers,
      payload: { name: 'Ada' },
    });
    expect(created.statusCode).toBe(201);
    expect(created.json()).toEqual({ got: { name: 'Ada' } });
    const paused = await gateway.inject({ method: 'POST', url: '/v1/accounts/7/pause', headers });
    expect(paused.json()).toEqual({ tenant: DEFAULT_TENANT });
    const removed = await gateway.inject({ method: 'DELETE', url: '/v1/accounts/7', headers });
    expect(removed.statusCode).toBe(204);
    const messages = await gateway.inject({ url: '/v1/messages?text=gr%C3%BC%C3%9Fe%20%26%20mehr', headers });
    expect(messages.json().items).toEqual(['grüße & mehr']);
    expect((await gateway.inject({ url: '/v1/projection/status', headers })).json()).toEqual({ lag: 0 });
  });

  it('passes a stream on as it comes, and tells the service when its reader has gone', async () => {
    const source = new PassThrough();
    const gone = new Promise((resolve) => source.once('close', resolve));
    const projector = await startUpstream('projector', (app) => {
      app.get('/v1/changes', async (_request, reply) => reply.type('text/event-stream').send(source));
    });
    const gateway = await startGateway({ projector });
    const stop = new AbortController();
    source.write('data: 1\n\n');
    const url = `${await gateway.listen({ host: '127.0.0.1', port: 0 })}/v1/changes`;
    const { body } = await fetch(url, { headers, signal: stop.signal });
    const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
    expect((await reader?.read())?.value).toBe('data: 1\n\n');
    source.write('data: 2\n\n');
    expect((await reader?.read())?.value).toBe('data: 2\n\n');
    stop.abort();
    await gone;
  });

  it("passes on a service's own refusal, at once", async () => {
    const gateway = await startGateway({ orchestrator: await startOrchestrator() });
    const answer = await gateway.inject({ url: '/v1/status', headers });
    expect(answer.statusCode).toBe(503);
    expect(answer.json().error.code).toBe('bus.disconnected');
    const missing = await gateway.inject({ url: '/v1/accounts/7/nothing', headers });
    expect(missing.statusCode).toBe(404);
    expect(missing.json().error.code).toBe('api.no_route');
  });

  it.each([
    ['/v1/accounts', 'sync-orchestrator'],
    ['/v1/messages', 'mailbox-projector'],
  ])('says of %s that the %s does not answer', async (url, service) => {
    const gateway = await startGateway();
    const answer = await gateway.inject({ url, headers });
    expect(answer.statusCode).toBe(503);
    expect(answer.json().error).toMatchObject({
      code: 'gateway.upstream_unreachable',
      message: expect.stringContaining(service),
      requestId: expect.any(String),
    });
  });

  it('refuses what is too large or no JSON before it reaches a service', async () => {
    const gateway = await startGateway({ orchestrator: await startOrchestrator() });
    const payload = { name: 'x'.repeat(1_100_000) };
    const large = await gateway.inject({ method: 'POST', url: '/v1/accounts', headers, payload });
    expect(large.statusCode).toBe(413);
    expect(large.json().error.code).toBe('api.fst_err_ctp_body_too_large');
    const json = { ...headers, 'content-type': 'application/json' };
    const broken = await gateway.inject({
      method: 'POST',
      url: '/v1/accounts',
      headers: json,
      payload: '{"name":',
    });
    expect(broken.statusCode).toBe(400);
    expect(broken.json().error.message).toContain('JSON');
  });

  it('asks for the token before it asks a service', async () => {
    const gateway = await startGateway({ orchestrator: await startOrchestrator() });
    expect((await gateway.inject('/v1/accounts')).json().error.code).toBe('auth.missing');
  });

  it.each(['/nothing', '/v1/internal', '/v1/accountsandmore', '/v1/accounts/../internal'])(
    'does not know %s',
    async (url) => {
      const gateway = await startGateway({ orchestrator: await startOrchestrator() });
      const answer = await gateway.inject({ url, headers });
      expect(answer.statusCode).toBe(404);
      expect(answer.json().error.code).toBe('api.no_route');
    },
  );
});

describe('GET /', () => {
  it('tells a person where they are, and nothing that the caller made up', async () => {
    const gateway = await startGateway();
    const page = await gateway.inject({ url: '/', headers: { host: 'mail.example.com:8080' } });
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.body).toContain('http://mail.example.com:8080/v1/status');
    const forged = await gateway.inject({ url: '/', headers: { host: '<script>alert(1)</script>' } });
    expect(forged.body).not.toContain('<script>');
  });
});
