import { readNotificationsConfig } from '@mailstream/providers/webhooks';
import { createLogger, type HttpServer, readEnv } from '@mailstream/runtime';
import { authenticate, tokenOf, walkRoutes } from '@mailstream/testing';
import { afterEach, describe, expect, it } from 'vitest';
import type { DoorConfig } from './config.ts';
import { createServer } from './server.ts';

const PLENTY: DoorConfig = { limits: { perCaller: 1_000, perAddress: 1_000 } };
const ORIGIN = 'https://app.example.com';
const bearer = async (caller: Parameters<typeof tokenOf>[0] = {}) => ({
  authorization: `Bearer ${await tokenOf(caller)}`,
});

const open: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

/** A gateway with nothing behind it. */
async function start(door: Partial<DoorConfig> = {}): Promise<HttpServer> {
  const { app } = await createServer({
    bus: {
      publish: async () => 1n,
      publishBatch: async () => ({ outcome: 'committed', sequence: 1n }),
      schedule: async () => undefined,
      last: async () => null,
      connected: () => true,
    },
    logger: createLogger('test', 'silent'),
    authenticate,
    upstreams: { orchestrator: 'http://127.0.0.1:9', projector: 'http://127.0.0.1:9' },
    notificationsConfig: readNotificationsConfig(readEnv({}), null),
    door: { ...PLENTY, ...door },
    openApi: { openapi: '3.1.0', info: { title: 'the whole API' } },
  });
  open.push(app);
  return app;
}

describe('every route', () => {
  it('is for callers with its scope only; what is passed on is for callers', async () => {
    const routes = await walkRoutes(await start(), (url) => url.replace(/:id/, crypto.randomUUID()));
    const needing = (what: string) =>
      routes.filter(({ needs }) => needs === what).map(({ method, url }) => `${method} ${url}`);
    expect(needing('sync:write')).toEqual(['POST /v1/accounts/:id/sync']);
    expect(needing('metrics:read')).toEqual(['GET /metrics']);
    expect(needing('open').toSorted()).toEqual(
      [
        'GET /v1/connect/:provider/callback',
        'POST /v1/connect/:provider/callback',
        'PATCH /v1/connect/:provider/callback',
        'DELETE /v1/connect/:provider/callback',
        'POST /v1/webhooks/google',
        'POST /v1/webhooks/microsoft',
        'POST /v1/webhooks/microsoft/lifecycle',
      ].toSorted(),
    );
    expect(needing('any')).toEqual(expect.arrayContaining(['GET /v1/caller', 'DELETE /v1/accounts/*']));
    for (const { method, url, needs, withoutToken, withOtherScopes } of routes) {
      if (needs === 'open') continue;
      expect([method, url, withoutToken, withOtherScopes]).toEqual([
        method,
        url,
        401,
        needs === 'any' ? null : 403,
      ]);
    }
  });

  it('is described for anybody by the document of the whole API', async () => {
    const answer = await (await start()).inject('/openapi.json');
    expect(answer.json().info.title).toBe('the whole API');
  });

  it('tells a caller who it is', async () => {
    const app = await start();
    const caller = { tenant: 'acme', subject: 'ada', scopes: ['messages:read'] } as const;
    expect((await app.inject({ url: '/v1/caller', headers: await bearer(caller) })).json()).toEqual(caller);
  });
});

describe('too many calls', () => {
  it('of one caller are answered 429, and when to go on; others go on', async () => {
    const app = await start({ limits: { perCaller: 2, perAddress: 1_000 } });
    const call = async (subject: string) =>
      app.inject({ url: '/v1/caller', headers: await bearer({ subject }) });
    expect([(await call('ada')).statusCode, (await call('ada')).statusCode]).toEqual([200, 200]);
    const third = await call('ada');
    expect([third.statusCode, third.json().error.code]).toEqual([429, 'gateway.rate_limited']);
    expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    expect((await call('bob')).statusCode).toBe(200);
  });

  it('of strangers are counted by address, and keep no caller at that address out', async () => {
    const app = await start({ limits: { perCaller: 1_000, perAddress: 2 } });
    const guess = () => app.inject({ url: '/v1/caller', headers: { authorization: 'Bearer guess' } });
    expect([(await guess()).statusCode, (await guess()).statusCode]).toEqual([401, 401]);
    expect((await guess()).statusCode).toBe(429);
    expect((await app.inject('/nothing')).statusCode).toBe(429);
    expect((await app.inject({ url: '/v1/caller', headers: await bearer() })).statusCode).toBe(200);
  });

  it('are not counted of probes and of providers that notify', async () => {
    const app = await start({ limits: { perCaller: 1, perAddress: 1 } });
    for (let n = 0; n < 3; n += 1) {
      expect((await app.inject('/readyz')).statusCode).toBe(200);
      const url = '/v1/webhooks/microsoft';
      expect((await app.inject({ method: 'POST', url, payload: { value: [] } })).statusCode).toBe(202);
    }
  });

  it('come from where a trusted proxy says, and from the proxy when it is not one', async () => {
    const app = await start({ limits: { perCaller: 1, perAddress: 1 }, trustedProxies: ['10.0.0.0/8'] });
    const from = async (remoteAddress: string, client: string) =>
      (await app.inject({ url: '/', remoteAddress, headers: { 'x-forwarded-for': client } })).statusCode;
    expect(await from('10.1.1.1', '192.0.2.1')).toBe(200);
    expect(await from('10.1.1.1', '192.0.2.2')).toBe(200);
    expect(await from('10.1.1.1', '192.0.2.1')).toBe(429);
    expect(await from('198.51.100.1', '192.0.2.3')).toBe(200);
    expect(await from('198.51.100.1', '192.0.2.4')).toBe(429);
  });
});

it('a body that is too large is refused', async () => {
  const app = await start({ bodyLimit: 1_024 });
  const url = `/v1/accounts/${crypto.randomUUID()}/sync`;
  const payload = { reason: 'x'.repeat(2_000) };
  expect((await app.inject({ method: 'POST', url, headers: await bearer(), payload })).statusCode).toBe(413);
});

describe('answers', () => {
  it('are kept by nobody, and of https ask for https', async () => {
    const app = await start({ trustedProxies: ['127.0.0.1'] });
    const plain = await app.inject({ url: '/v1/caller', headers: await bearer() });
    expect(plain.headers).toMatchObject({ 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' });
    expect(plain.headers).not.toHaveProperty('strict-transport-security');
    const secure = await app.inject({ url: '/', headers: { 'x-forwarded-proto': 'https' } });
    expect(secure.headers['strict-transport-security']).toContain('max-age=');
  });

  it('are for pages of other origins only if these are named, and then also say what is wrong', async () => {
    const ask = (app: HttpServer, origin: string) => app.inject({ url: '/v1/caller', headers: { origin } });
    expect((await ask(await start(), ORIGIN)).headers).not.toHaveProperty('access-control-allow-origin');
    const app = await start({ corsOrigins: [ORIGIN] });
    const refused = await ask(app, ORIGIN);
    expect([refused.statusCode, refused.headers['access-control-allow-origin']]).toEqual([401, ORIGIN]);
    expect((await ask(app, 'https://evil.example.com')).headers).not.toHaveProperty(
      'access-control-allow-origin',
    );
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/v1/accounts',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'DELETE',
        'access-control-request-headers': 'authorization',
      },
    });
    expect(preflight.statusCode).toBe(204);
    expect(preflight.headers['access-control-allow-methods']).toContain('DELETE');
    expect(preflight.headers['access-control-allow-headers']).toContain('authorization');
  });
});
