/** Calls of the API that are wrong: each is refused with a status, a code and words that name what is wrong. */
import { uuidv7 } from '@mailstream/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type System, startSystem } from './harness.ts';

let system: System;

beforeAll(async () => {
  system = await startSystem();
});

afterAll(() => system?.stop());

describe('a call of the API', () => {
  const missing = uuidv7();
  const imap = {
    provider: 'imap',
    settings: { host: 'h', secure: true, user: 'u' },
    credential: { password: 'p' },
  };

  const settings = (over: object) => ({ ...imap, settings: { ...imap.settings, ...over } });
  const noUuid = 'params/id must match format "uuid"';

  it.each([
    ['GET', '/v1/accounts/abc', undefined, 400, 'api.invalid', noUuid],
    ['GET', `/v1/accounts/${missing}`, undefined, 404, 'account.unknown', missing],
    ['DELETE', `/v1/accounts/${missing}`, undefined, 404, 'account.unknown', missing],
    ['POST', `/v1/accounts/${missing}/pause`, undefined, 404, 'account.unknown', missing],
    ['PATCH', `/v1/accounts/${missing}`, { name: 'x' }, 404, 'account.unknown', missing],
    ['PATCH', `/v1/accounts/${missing}`, {}, 400, 'api.invalid', 'body must not have fewer than 1'],
    [
      'PATCH',
      `/v1/accounts/${missing}`,
      { state: 'live' },
      400,
      'api.invalid',
      'body/state is not known here',
    ],
    ['POST', '/v1/accounts', undefined, 400, 'api.invalid', 'body must be object'],
    ['POST', '/v1/accounts', [], 400, 'api.invalid', 'body must be object'],
    [
      'POST',
      '/v1/accounts',
      '{"provider":',
      400,
      'api.fst_err_ctp_invalid_json_body',
      'Body is not valid JSON',
    ],
    [
      'POST',
      '/v1/accounts',
      { ...imap, provider: undefined },
      400,
      'api.invalid',
      'body/provider is missing',
    ],
    [
      'POST',
      '/v1/accounts',
      { ...imap, provider: 'pigeon' },
      400,
      'account.provider',
      '"pigeon"; known: imap',
    ],
    ['POST', '/v1/accounts', { ...imap, extra: 1 }, 400, 'api.invalid', 'body/extra is not known here'],
    [
      'POST',
      '/v1/accounts',
      { ...imap, name: '' },
      400,
      'api.invalid',
      'body/name must not have fewer than 1',
    ],
    [
      'POST',
      '/v1/accounts',
      { ...imap, name: 'a\u0000' },
      400,
      'api.invalid',
      'body/name must not hold the character',
    ],
    [
      'POST',
      '/v1/accounts',
      { ...imap, settings: 'x' },
      400,
      'account.invalid',
      'body/settings must be object',
    ],
    [
      'POST',
      '/v1/accounts',
      settings({ host: '' }),
      400,
      'account.invalid',
      'body/settings/host must not have',
    ],
    [
      'POST',
      '/v1/accounts',
      settings({ port: 99_999 }),
      400,
      'account.invalid',
      'body/settings/port must be <= 65535',
    ],
    [
      'POST',
      '/v1/accounts',
      settings({ user: undefined }),
      400,
      'account.invalid',
      'body/settings/user is missing',
    ],
    [
      'POST',
      '/v1/accounts',
      settings({ tls: true }),
      400,
      'account.invalid',
      'body/settings/tls is not known here',
    ],
    [
      'POST',
      '/v1/accounts',
      { ...imap, credential: {} },
      400,
      'account.invalid',
      'body/credential/password is missing',
    ],
    [
      'POST',
      '/v1/accounts',
      { ...imap, credential: undefined },
      400,
      'api.invalid',
      'body/credential is missing',
    ],
    ['POST', '/v1/accounts/abc/sync', undefined, 400, 'api.invalid', noUuid],
    [
      'POST',
      `/v1/accounts/${missing}/sync`,
      { reason: 'whim' },
      400,
      'api.invalid',
      'body/reason must be one of "user", "push"',
    ],
    [
      'POST',
      `/v1/accounts/${missing}/sync`,
      { why: 'not' },
      400,
      'api.invalid',
      'body/why is not known here',
    ],
    ['GET', '/v1/messages?limit=0', undefined, 400, 'api.invalid', 'querystring/limit must be >= 1'],
    ['GET', '/v1/messages?limit=501', undefined, 400, 'api.invalid', 'querystring/limit must be <= 500'],
    ['GET', '/v1/messages?limit=many', undefined, 400, 'api.invalid', 'querystring/limit must be integer'],
    [
      'GET',
      '/v1/messages?unread=perhaps',
      undefined,
      400,
      'api.invalid',
      'querystring/unread must be boolean',
    ],
    [
      'GET',
      '/v1/messages?text=',
      undefined,
      400,
      'api.invalid',
      'querystring/text must not have fewer than 1',
    ],
    [
      'GET',
      '/v1/messages?text=%00',
      undefined,
      400,
      'api.invalid',
      'querystring/text must not hold the character',
    ],
    [
      'GET',
      '/v1/messages?thread=abc',
      undefined,
      400,
      'api.invalid',
      'querystring/thread must match format "uuid"',
    ],
    ['GET', '/v1/messages?after=abc', undefined, 400, 'api.bad_cursor', '`after` is not the `next`'],
    ['GET', '/v1/messages?colour=red', undefined, 400, 'api.invalid', 'querystring/colour is not known here'],
    ['GET', `/v1/messages?account=${missing}`, undefined, 404, 'api.no_account', missing],
    ['GET', '/v1/messages/abc', undefined, 400, 'api.invalid', noUuid],
    ['GET', `/v1/messages/${missing}`, undefined, 404, 'api.no_message', missing],
    ['GET', '/v1/messages/%', undefined, 400, 'api.fst_err_bad_url', 'not a valid url'],
    ['GET', '/v1/threads/abc', undefined, 400, 'api.invalid', noUuid],
    ['GET', `/v1/threads/${missing}`, undefined, 404, 'api.no_thread', missing],
    ['GET', `/v1/mailboxes?account=${missing}`, undefined, 404, 'api.no_account', missing],
    ['GET', '/v1/mailboxes?path=INBOX', undefined, 400, 'api.invalid', 'querystring/path is not known here'],
    ['GET', '/v1/nothing', undefined, 404, 'api.no_route', 'there is nothing at GET /v1/nothing'],
    ['PUT', '/v1/accounts', imap, 404, 'api.no_route', 'there is nothing at PUT /v1/accounts'],
    ['GET', '/nothing', undefined, 404, 'api.no_route', 'there is nothing at GET /nothing'],
  ] as const)('%s %s %j is refused: %i %s', async (method, path, body, status, code, mentions) => {
    const answer = await system.rest.call(method, path, { body });
    expect(answer).toMatchObject({
      status,
      body: { error: { code, message: expect.stringContaining(mentions), requestId: expect.any(String) } },
    });
  });

  it.each([
    ['without a token', {}, 'auth.missing'],
    ['with another scheme', { authorization: 'Basic ZW5kLXRvLWVuZA==' }, 'auth.missing'],
    ['with a wrong token', { authorization: 'Bearer end-to-en' }, 'auth.refused'],
  ])('%s is refused on every route', async (_, headers, code) => {
    for (const path of ['/v1/accounts', '/v1/status', '/v1/messages', `/v1/accounts/${missing}/sync`]) {
      const response = await fetch(new URL(path, system.stack.url), { headers });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code } });
    }
  });
});
