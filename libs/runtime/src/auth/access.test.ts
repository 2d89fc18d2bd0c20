import { afterEach, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpServer } from '../http.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createAuthenticate } from './authenticate.ts';
import { signToken } from './sign-token.ts';

const SECRET = 'a secret of 32 bytes or more, for tests';
const auth = {
  jwksUrl: null,
  key: SECRET,
  issuer: 'mailstream',
  audience: 'mailstream',
  tenantClaim: 'tenant',
};
const caller = { tenant: 'acme', subject: 'ada', scopes: ['messages:read'] } as const;
const bearer = async () => `Bearer ${await signToken(SECRET, caller, new Date(Date.now() + 60_000))}`;

const open: HttpServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((app) => app.close()));
});

async function serve(register: (app: HttpServer) => void): Promise<HttpServer> {
  const app = await createHttpServer({
    title: 'test',
    logger: createLogger('test', 'silent'),
    authenticate: createAuthenticate(auth, async () => null),
    ready: () => true,
    metrics: createMetrics(),
  });
  open.push(app);
  register(app);
  return app;
}

describe('a route', () => {
  it('gets the caller when the scope is there', async () => {
    const app = await serve((app) =>
      app.get('/v1/mail', { config: { scope: 'messages:read' } }, async ({ principal }) => principal),
    );
    const answer = await app.inject({ url: '/v1/mail', headers: { authorization: await bearer() } });
    expect(answer.json()).toEqual(caller);
  });

  it('answers 401 with a challenge when nobody is named', async () => {
    const app = await serve((app) => app.get('/v1/mail', { config: { scope: 'any' } }, async () => 1));
    for (const authorization of [undefined, 'Basic YTpi', 'Bearer', 'Bearer a b']) {
      const answer = await app.inject({
        url: '/v1/mail',
        headers: { ...(authorization && { authorization }) },
      });
      expect([answer.statusCode, answer.json().error.code]).toEqual([401, 'auth.missing']);
      expect(answer.headers['www-authenticate']).toBe('Bearer realm="mailstream"');
    }
  });

  it('answers 403 and names the scope that is missing', async () => {
    const app = await serve((app) =>
      app.get('/v1/accounts', { config: { scope: 'accounts:write' } }, async () => 1),
    );
    const answer = await app.inject({ url: '/v1/accounts', headers: { authorization: await bearer() } });
    expect([answer.statusCode, answer.json().error.code]).toEqual([403, 'auth.scope']);
    expect(answer.json().error.message).toContain('accounts:write');
    expect(answer.headers['www-authenticate']).toBe(
      'Bearer realm="mailstream", error="insufficient_scope", scope="accounts:write"',
    );
  });

  it('says its scope in the OpenAPI document', async () => {
    const app = await serve((app) =>
      app.get('/v1/mail', { config: { scope: 'messages:read' } }, async () => 1),
    );
    const document = (await app.inject('/openapi.json')).json();
    expect(document.paths['/v1/mail'].get.security).toEqual([{ token: ['messages:read'] }]);
  });

  it('is looked at before the body is read', async () => {
    const app = await serve((app) => app.post('/v1/mail', { config: { scope: 'any' } }, async () => 1));
    const headers = { 'content-type': 'application/json' };
    const answer = await app.inject({ method: 'POST', url: '/v1/mail', headers, payload: '{' });
    expect(answer.statusCode).toBe(401);
  });

  it('that is open asks for nothing, and has no caller', async () => {
    const app = await serve((app) => {
      app.get('/v1/open', { config: { open: true } }, async () => 'come in');
      app.get('/v1/nobody', { config: { open: true } }, async ({ principal }) => principal);
    });
    expect((await app.inject('/v1/open')).body).toBe('come in');
    expect((await app.inject('/v1/nobody')).statusCode).toBe(401);
  });

  it.each(['/v1/forgotten', '/v1'])(
    '%s that declares nothing keeps the server from starting',
    async (url) => {
      const app = await serve((app) => app.get(url, async () => 1));
      await expect(app.ready()).rejects.toThrow(`the route GET ${url} declares neither`);
    },
  );
});

it('the metrics have a scope of their own', async () => {
  const app = await serve(() => undefined);
  expect((await app.inject('/metrics')).statusCode).toBe(401);
  const answer = await app.inject({ url: '/metrics', headers: { authorization: await bearer() } });
  expect(answer.json().error.message).toContain('metrics:read');
});
