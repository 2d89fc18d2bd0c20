import { createFindApiKey } from '@mailstream/bus';
import {
  type Account,
  type ApiKey,
  type ApiKeyCreated,
  type StatusReport,
  uuidv7,
} from '@mailstream/contracts';
import {
  createAuthenticate,
  createHttpServer,
  createLogger,
  type HttpServer,
  newApiKey,
} from '@mailstream/runtime';
import { TEST_AUTH, tokenOf, walkRoutes } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../testkit.ts';

let world: World;
/** An account of the tenant `default`. */
let ada: Account;

beforeAll(async () => {
  world = await startWorld();
  ada = await addAccount('ada@example.com');
});
afterAll(() => world?.stop());

async function addAccount(user: string): Promise<Account> {
  const { body } = await world.call('POST', '/v1/accounts', {
    provider: 'imap',
    settings: { host: 'imap.example.com', user, secure: true },
    credential: { password: 'secret' },
  });
  return body;
}

/** Calls as somebody of another tenant, who may do everything there. */
async function asStranger(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, payload?: object) {
  const headers = { authorization: `Bearer ${await tokenOf({ tenant: 'somebody' })}` };
  return world.app.inject({ method, url, headers, ...(payload && { payload }) });
}

describe('every route', () => {
  it('is for callers with its scope only', async () => {
    const routes = await walkRoutes(world.app, (url) =>
      url
        .replace(':id', ada.id)
        .replace(':provider', 'microsoft')
        .replace(':prefix', '0123456789ab')
        .replace(':event', ada.id),
    );
    expect(Object.fromEntries(routes.map(({ method, url, needs }) => [`${method} ${url}`, needs]))).toEqual({
      'GET /v1/accounts': 'accounts:read',
      'POST /v1/accounts': 'accounts:write',
      'GET /v1/accounts/:id': 'accounts:read',
      'PATCH /v1/accounts/:id': 'accounts:write',
      'DELETE /v1/accounts/:id': 'accounts:write',
      'POST /v1/accounts/:id/pause': 'accounts:write',
      'POST /v1/accounts/:id/resume': 'accounts:write',
      'GET /v1/accounts/:id/scopes': 'accounts:read',
      'GET /v1/api-keys': 'admin',
      'POST /v1/api-keys': 'admin',
      'DELETE /v1/api-keys/:prefix': 'admin',
      'GET /v1/audit': 'admin',
      'GET /v1/connect/:provider': 'accounts:write',
      'GET /v1/connect/:provider/callback': 'open',
      'GET /v1/keys': 'admin',
      'POST /v1/keys/rotate': 'admin',
      'GET /v1/webhook-endpoints': 'admin',
      'POST /v1/webhook-endpoints': 'admin',
      'GET /v1/webhook-endpoints/:id': 'admin',
      'PATCH /v1/webhook-endpoints/:id': 'admin',
      'DELETE /v1/webhook-endpoints/:id': 'admin',
      'POST /v1/webhook-endpoints/:id/rotate': 'admin',
      'POST /v1/webhook-endpoints/:id/replay': 'admin',
      'GET /v1/webhook-endpoints/:id/deliveries': 'admin',
      'POST /v1/webhook-endpoints/:id/deliveries/:event/retry': 'admin',
      'GET /v1/parked': 'admin',
      'GET /v1/parked/:id': 'admin',
      'POST /v1/parked/:id/retry': 'admin',
      'DELETE /v1/parked/:id': 'admin',
      'GET /v1/status': 'accounts:read',
      'GET /v1/doctor': 'accounts:read',
    });
    for (const { url, needs, withoutToken, withOtherScopes } of routes.filter(
      ({ needs }) => needs !== 'open',
    ))
      expect([url, needs, withoutToken, withOtherScopes]).toEqual([url, needs, 401, 403]);
    expect((await world.call('GET', `/v1/accounts/${ada.id}`)).status).toBe(200);
  });

  it("does not know another tenant's account", async () => {
    const url = `/v1/accounts/${ada.id}`;
    const answers = [
      await asStranger('GET', url),
      await asStranger('PATCH', url, { name: 'mine' }),
      await asStranger('DELETE', url),
      await asStranger('POST', `${url}/pause`),
      await asStranger('POST', `${url}/resume`),
      await asStranger('GET', `${url}/scopes`),
      await asStranger('GET', `/v1/connect/microsoft?account=${ada.id}`),
    ];
    for (const answer of answers.slice(0, -1))
      expect([answer.statusCode, answer.json().error.code]).toEqual([404, 'account.unknown']);
    expect(answers.at(-1)?.statusCode).toBeGreaterThanOrEqual(400);
    expect((await asStranger('GET', '/v1/accounts')).json().items).toEqual([]);
    const report = (await asStranger('GET', '/v1/status')).json<StatusReport>();
    expect(report.accounts).toEqual([]);
    expect((await asStranger('GET', '/v1/doctor')).body).not.toContain(ada.name);
    expect((await world.call('GET', url)).body).toMatchObject({ name: ada.name, state: ada.state });
  });

  it('shows of what was parked nothing that another tenant got', async () => {
    const park = (subject: string) =>
      world.bus.publish({
        subject: 'dead.mail.not-json',
        data: {
          stream: 'MAIL',
          sequence: '1',
          subject,
          reason: 'not-json',
          detail: 'x',
          parkedAt: '2026-01-01T00:00:00Z',
          payload: 'c2VjcmV0',
          truncated: false,
        },
      });
    const own = `mail.00.default.${ada.id}.message.changed`;
    const foreign = `mail.00.somebody.${uuidv7()}.message.changed`;
    const nobodys = 'mail.what';
    for (const subject of [own, foreign, nobodys]) await park(subject);
    const { body } = await world.call<StatusReport>('GET', '/v1/status');
    expect(body.parked.count).toBe(3);
    expect(body.parked.recent.map(({ subject, payload }) => [subject, payload])).toEqual([
      [nobodys, ''],
      [own, 'c2VjcmV0'],
    ]);
  });
});

describe('an API key', () => {
  /** A service without the database: it asks over NATS. */
  let other: HttpServer;

  beforeAll(async () => {
    other = await createHttpServer({
      title: 'other',
      logger: createLogger('test', 'silent'),
      authenticate: createAuthenticate(TEST_AUTH, createFindApiKey(world.bus)),
      ready: () => true,
    });
    other.get('/v1/mail', { config: { scope: 'messages:read' } }, async ({ principal }) => principal);
  });
  afterAll(() => other.close());

  const make = async (more: object = {}) =>
    world.call<ApiKeyCreated>('POST', '/v1/api-keys', { name: 'CRM', scopes: ['messages:read'], ...more });
  const use = (key: string) => other.inject({ url: '/v1/mail', headers: { authorization: `Bearer ${key}` } });
  const list = async () => (await world.call<{ items: ApiKey[] }>('GET', '/v1/api-keys')).body.items;

  it('is shown once, names its tenant to every service, and may do what it was made for', async () => {
    const { status, body } = await make();
    expect(status).toBe(201);
    const { key, ...shown } = body;
    expect(key).toContain(`ms_${shown.prefix}_`);
    expect(shown).toMatchObject({
      name: 'CRM',
      scopes: ['messages:read'],
      createdBy: 'test',
      lastUsedAt: null,
    });
    const answer = await use(key);
    expect(answer.json()).toEqual({
      tenant: 'default',
      subject: `api-key:${shown.prefix}`,
      scopes: ['messages:read'],
    });
    const headers = { authorization: `Bearer ${key}` };
    const here = await world.app.inject({ url: '/v1/accounts', headers });
    expect([here.statusCode, here.headers['www-authenticate']]).toEqual([
      403,
      expect.stringContaining('scope="accounts:read"'),
    ]);
    const [listed] = (await list()).filter(({ prefix }) => prefix === shown.prefix);
    expect(listed).toEqual({ ...shown, lastUsedAt: expect.any(String) });
    const stored = JSON.stringify(await world.db.query('SELECT * FROM control.api_key'));
    expect(stored).not.toContain(key.slice(20, -8));
  });

  it('that is revoked is refused by every service within seconds', async () => {
    const { key, prefix } = (await make()).body;
    expect((await use(key)).statusCode).toBe(200);
    expect((await world.call('DELETE', `/v1/api-keys/${prefix}`)).status).toBe(204);
    await expect.poll(async () => (await use(key)).statusCode, { timeout: 15_000 }).toBe(401);
    expect((await list()).map((listed) => listed.prefix)).not.toContain(prefix);
    expect((await world.call('DELETE', `/v1/api-keys/${prefix}`)).body).toMatchObject({
      error: { code: 'api_key.unknown' },
    });
  });

  it('ends when it was made to', async () => {
    expect((await make({ expiresAt: '2026-01-01T00:00:00Z' })).body).toMatchObject({
      error: { code: 'api_key.invalid' },
    });
    const expiresAt = new Date(Date.now() + 3_600_000).toISOString();
    const { key, prefix } = (await make({ expiresAt })).body;
    await world.db.query('UPDATE control.api_key SET expires_at = now() WHERE prefix = $1', [prefix]);
    expect((await use(key)).statusCode).toBe(401);
  });

  it.each([
    ['no scope', { scopes: [] }, 'body/scopes'],
    ['an unknown scope', { scopes: ['everything'] }, 'body/scopes/0'],
    ['no name', { name: '' }, 'body/name'],
    ['an end that is no time', { expiresAt: 'soon' }, 'body/expiresAt'],
  ])('is not made with %s', async (_name, more, says) => {
    const { status, body } = await make(more);
    expect([status, body]).toMatchObject([400, { error: { message: expect.stringContaining(says) } }]);
  });

  it('is of one tenant: others neither see it nor end it', async () => {
    const { key, prefix } = (await make()).body;
    expect((await asStranger('GET', '/v1/api-keys')).json().items).toEqual([]);
    expect((await asStranger('DELETE', `/v1/api-keys/${prefix}`)).statusCode).toBe(404);
    expect((await use(key)).statusCode).toBe(200);
  });

  it('that nobody made is refused', async () => {
    const answer = await use(newApiKey().text);
    expect([answer.statusCode, answer.json().error.code]).toEqual([401, 'auth.refused']);
  });
});
