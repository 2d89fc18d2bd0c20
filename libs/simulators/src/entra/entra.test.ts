import { createHash, createPublicKey, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DEMO_CLIENT } from '../simulator.ts';
import { type Answer, isObject, startWorld, until, type World } from '../testkit.ts';
import { knownFailures } from './failures.ts';

const REDIRECT = 'http://localhost:3000/callback';
const VERIFIER = 'a-verifier-that-is-long-enough-to-be-one-0123456789';
const DAY = 24 * 60 * 60_000;

describe('sign-in', () => {
  let world: World;
  beforeEach(async () => {
    world = await startWorld();
  });
  afterEach(() => world.close());

  const consent = async (more: Readonly<Record<string, string>> = {}) => {
    const query = new URLSearchParams({
      client_id: DEMO_CLIENT.id,
      response_type: 'code',
      redirect_uri: REDIRECT,
      scope: 'openid offline_access Mail.Read',
      state: 'a state & more',
      nonce: 'n-1',
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      login_hint: world.mailbox,
      ...more,
    });
    const answer = await world.entra(`/common/oauth2/v2.0/authorize?${query}`);
    return { answer, back: new URL(String(answer.headers.location ?? REDIRECT)).searchParams };
  };
  const token = (form: Readonly<Record<string, string>>) =>
    world.entra('/common/oauth2/v2.0/token', {
      form: { client_id: DEMO_CLIENT.id, client_secret: DEMO_CLIENT.secret ?? '', ...form },
    });
  const redeem = (code: string, verifier = VERIFIER) =>
    token({ grant_type: 'authorization_code', code, redirect_uri: REDIRECT, code_verifier: verifier });
  const refresh = (answer: Answer) =>
    token({ grant_type: 'refresh_token', refresh_token: String(answer.body.refresh_token) });
  const signIn = async () => redeem((await consent()).back.get('code') ?? '');

  test('consent leads back with the state and a code that works once, with its verifier', async () => {
    const { answer, back } = await consent();
    expect([answer.status, back.get('state')]).toEqual([302, 'a state & more']);
    const wrong = await redeem((await consent()).back.get('code') ?? '', 'another verifier');
    expect([wrong.status, wrong.body.error_codes]).toEqual([400, [501481]]);
    const tokens = await redeem(back.get('code') ?? '');
    expect(tokens.body).toMatchObject({ token_type: 'Bearer', scope: 'openid Mail.Read' });
    const me = await world.graph('/me', { token: String(tokens.body.access_token) });
    expect(me.body).toMatchObject({ mail: world.mailbox });
    expect((await redeem(back.get('code') ?? '')).body.error_codes).toEqual([54005]);
  });

  test('the identity token is signed with a published key and carries the nonce', async () => {
    const { body: discovery } = await world.entra('/common/v2.0/.well-known/openid-configuration');
    expect(discovery.issuer).toBe(`${world.simulator.entra.url}/{tenantid}/v2.0`);
    const { body: jwks } = await world.entra(new URL(String(discovery.jwks_uri)).pathname);
    const [jwk] = Array.isArray(jwks.keys) ? jwks.keys : [];
    const [header = '', claims = '', signature = ''] = String((await signIn()).body.id_token).split('.');
    const key = createPublicKey({ key: isObject(jwk) ? { ...jwk } : {}, format: 'jwk' });
    expect(
      verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url')),
    ).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      aud: DEMO_CLIENT.id,
      nonce: 'n-1',
      preferred_username: world.mailbox,
    });
  });

  test('an application gets a token for itself, which is for no /me', async () => {
    const { body } = await token({
      grant_type: 'client_credentials',
      scope: 'https://graph.microsoft.com/.default',
    });
    const app = { token: String(body.access_token) };
    expect((await world.graph(`/users/${world.mailbox}/mailFolders`, app)).status).toBe(200);
    expect((await world.graph('/me/mailFolders', app)).status).toBe(400);
    expect(body.refresh_token).toBeUndefined();
  });

  test('strangers are not redirected to, and people may decline', async () => {
    expect((await consent({ client_id: 'unknown' })).answer.status).toBe(400);
    world.simulator.control.failSignIn({ at: 'authorize', times: 1, aadsts: 65004 });
    const { back } = await consent();
    expect([back.get('error'), back.get('code'), back.get('state')]).toEqual([
      'access_denied',
      null,
      'a state & more',
    ]);
  });

  test('A9.27 refreshing rotates, and the old token goes on working until it is unused for 90 days', async () => {
    const first = await signIn();
    const second = await refresh(first);
    expect(second.body.refresh_token).not.toBe(first.body.refresh_token);
    expect((await refresh(first)).status).toBe(200);
    world.simulator.control.advance({ ms: 89 * DAY });
    expect((await refresh(second)).status).toBe(200);
    world.simulator.control.advance({ ms: 89 * DAY });
    expect((await refresh(second)).status).toBe(200);
    const idle = await refresh(first);
    expect(idle.body).toMatchObject({ error: 'invalid_grant', error_codes: [700082] });
    expect(idle.body.error_description).toMatch(/^AADSTS700082: /);
  });

  test('A9.27 access tokens are short-lived', async () => {
    const { body } = await signIn();
    const access = { token: String(body.access_token) };
    expect(Number(body.expires_in)).toBeGreaterThanOrEqual(3_600);
    expect((await world.graph('/me', access)).status).toBe(200);
    world.simulator.control.advance({ ms: Number(body.expires_in) * 1_000 + 1_000 });
    expect((await world.graph('/me', access)).status).toBe(401);
  });

  test('A9.27 every class of failure can be scripted', async () => {
    const tokens = await signIn();
    for (const aadsts of knownFailures()) {
      world.simulator.control.failSignIn({ at: 'token', times: 1, aadsts, mailbox: world.mailbox });
      const { status, body } = await refresh(tokens);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(body.error_codes).toEqual([aadsts]);
    }
    world.simulator.control.failSignIn({ at: 'token', times: 1, aadsts: 7000222 });
    expect((await refresh(tokens)).body.error).toBe('invalid_client');
    for (const status of [429, 503]) {
      world.simulator.control.failSignIn({ at: 'token', times: 1, status });
      expect((await refresh(tokens)).status).toBe(status);
    }
    expect((await refresh(tokens)).status).toBe(200);
  });

  test('A9.27 consent taken back ends access and refreshing', async () => {
    const tokens = await signIn();
    world.simulator.control.revoke({ mailbox: world.mailbox });
    expect((await world.graph('/me', { token: String(tokens.body.access_token) })).status).toBe(401);
    expect((await refresh(tokens)).body).toMatchObject({ error: 'invalid_grant', error_codes: [50173] });
    expect((await refresh(await signIn())).status).toBe(200);
  });

  test('requests are noted without their secrets; an answer can be held back or lost, and a status come instead', async () => {
    const tokens = await signIn();
    const path = '/oauth2/v2.0/token$';
    world.simulator.control.clearRequests();
    world.simulator.control.fault({ path, times: 1, fault: { kind: 'reset' } });
    await expect(refresh(tokens)).rejects.toThrow();
    world.simulator.control.fault({ path, times: 1, fault: { kind: 'hold' } });
    const held = refresh(tokens);
    await until(() => world.simulator.control.held() === 1);
    world.simulator.control.release();
    expect((await held).status).toBe(200);
    world.simulator.control.fault({ path, times: 1, fault: { kind: 'status', status: 502 } });
    expect((await refresh(tokens)).status).toBe(502);
    const noted = world.simulator.control.requests();
    expect(noted.map(({ query, status }) => [query, status])).toEqual([
      ['grant_type=refresh_token', 200],
      ['grant_type=refresh_token', 200],
      ['grant_type=refresh_token', 502],
    ]);
    expect(JSON.stringify(noted)).not.toContain(String(tokens.body.refresh_token));
  });

  test('a wrong secret is the operator’s problem', async () => {
    const answer = await token({ grant_type: 'client_credentials', client_secret: 'wrong' });
    expect([answer.status, answer.body.error, answer.body.error_codes]).toEqual([
      401,
      'invalid_client',
      [7000215],
    ]);
  });
});
