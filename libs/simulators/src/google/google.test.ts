import { createHash, createPublicKey, sign, verify } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type GmailWorld, listOf, startGmail } from '../gmail/testkit.ts';
import { DEMO_GOOGLE_CLIENT } from '../simulator.ts';
import type { Answer } from '../testkit.ts';

const REDIRECT = 'http://localhost:3000/callback';
const VERIFIER = 'a-verifier-that-is-long-enough-to-be-one-0123456789';
const DAY = 24 * 60 * 60_000;
const READONLY = 'https://www.googleapis.com/auth/gmail.readonly';
const TESTING = { ...DEMO_GOOGLE_CLIENT, id: 'testing', testing: true };

describe('signing in with Google', () => {
  let world: GmailWorld;
  beforeEach(async () => {
    world = await startGmail({ googleClients: [DEMO_GOOGLE_CLIENT, TESTING] });
  });
  afterEach(() => world[Symbol.asyncDispose]());

  const consent = async (more: Readonly<Record<string, string>> = {}) => {
    const query = new URLSearchParams({
      client_id: DEMO_GOOGLE_CLIENT.id,
      response_type: 'code',
      redirect_uri: REDIRECT,
      scope: `openid email ${READONLY}`,
      state: 'a state & more',
      nonce: 'n-1',
      access_type: 'offline',
      code_challenge: createHash('sha256').update(VERIFIER).digest('base64url'),
      code_challenge_method: 'S256',
      login_hint: world.mailbox,
      ...more,
    });
    const answer = await world.google(`/o/oauth2/v2/auth?${query}`);
    return { answer, back: new URL(String(answer.headers.location ?? REDIRECT)).searchParams };
  };
  const token = (form: Readonly<Record<string, string>>) =>
    world.google('/token', {
      form: { client_id: DEMO_GOOGLE_CLIENT.id, client_secret: DEMO_GOOGLE_CLIENT.secret, ...form },
    });
  const redeem = (code: string | null, more: Readonly<Record<string, string>> = {}) =>
    token({
      grant_type: 'authorization_code',
      code: code ?? '',
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
      ...more,
    });
  const signIn = async (
    more: Readonly<Record<string, string>> = {},
    client: Readonly<Record<string, string>> = {},
  ) => redeem((await consent(more)).back.get('code'), client);
  const refresh = ({ body }: Answer, more: Readonly<Record<string, string>> = {}) =>
    token({ grant_type: 'refresh_token', refresh_token: String(body.refresh_token), ...more });
  const revoked = { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' };

  test('consent leads back with the state and a code that works once, with its verifier', async () => {
    const { answer, back } = await consent();
    expect([answer.status, back.get('state')]).toEqual([302, 'a state & more']);
    expect(back.get('scope')).toBe(`openid email ${READONLY}`);
    const wrong = await redeem((await consent()).back.get('code'), { code_verifier: 'another' });
    expect([wrong.status, wrong.body.error]).toEqual([400, 'invalid_grant']);
    const tokens = await redeem(back.get('code'));
    expect(tokens.body).toMatchObject({ token_type: 'Bearer', expires_in: 3_599 });
    const profile = await world.gmail('/profile', { token: String(tokens.body.access_token) });
    expect(profile.body.emailAddress).toBe(world.mailbox);
    expect((await redeem(back.get('code'))).body.error).toBe('invalid_grant');
  });

  test('the identity token is signed with a published key and carries the nonce', async () => {
    const { body: discovery } = await world.google('/.well-known/openid-configuration');
    expect(discovery.issuer).toBe('https://accounts.google.com');
    const { body } = await world.google(new URL(String(discovery.jwks_uri)).pathname);
    const [jwk] = listOf(body, 'keys');
    const [header = '', claims = '', signature = ''] = String((await signIn()).body.id_token).split('.');
    const key = createPublicKey({ key: { ...jwk }, format: 'jwk' });
    expect(
      verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url')),
    ).toBe(true);
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'https://accounts.google.com',
      aud: DEMO_GOOGLE_CLIENT.id,
      email: world.mailbox,
      email_verified: true,
      nonce: 'n-1',
      sub: expect.stringMatching(/^\d{21}$/),
    });
  });

  test('B9.25 a refresh token comes with the first consent only, or when asked to ask again; never from a refresh', async () => {
    const first = await signIn();
    expect(first.body.refresh_token).toMatch(/^1\/\/0/);
    expect((await signIn()).body).not.toHaveProperty('refresh_token');
    expect((await signIn({ prompt: 'consent' })).body).toHaveProperty('refresh_token');
    expect((await signIn({ prompt: 'consent', access_type: 'online' })).body).not.toHaveProperty(
      'refresh_token',
    );
    const refreshed = await refresh(first);
    expect(Object.keys(refreshed.body).sort()).toEqual([
      'access_token',
      'expires_in',
      'id_token',
      'scope',
      'token_type',
    ]);
    expect((await refresh(first)).status).toBe(200);
  });

  test('B9.25 scopes can be withheld, and grow', async () => {
    world.control.withholdScopes({ mailbox: world.mailbox, scopes: [READONLY] });
    const less = await signIn();
    expect(less.body.scope).toBe('openid email');
    const access = { token: String(less.body.access_token) };
    expect((await world.gmail('/profile', access)).status).toBe(403);
    world.control.withholdScopes({ mailbox: world.mailbox, scopes: [] });
    const more = await signIn({ scope: READONLY, include_granted_scopes: 'true', prompt: 'consent' });
    expect(String(more.body.scope).split(' ').sort()).toEqual([READONLY, 'email', 'openid'].sort());
  });

  test('B9.25 access tokens last an hour less a second', async () => {
    const { body } = await signIn();
    const access = { token: String(body.access_token) };
    world.control.advance({ ms: 3_598_000 });
    expect((await world.gmail('/profile', access)).status).toBe(200);
    world.control.advance({ ms: 2_000 });
    expect((await world.gmail('/profile', access)).status).toBe(401);
  });

  test('B9.25 invalid_grant: revoked, unused for half a year, one of too many', async () => {
    const { control, mailbox } = world;
    const first = await signIn();
    control.advance({ ms: 179 * DAY });
    expect((await refresh(first)).status).toBe(200);
    control.advance({ ms: 181 * DAY });
    const idle = await refresh(first);
    expect([idle.status, idle.body]).toEqual([400, revoked]);

    const oldest = await signIn({ prompt: 'consent' });
    for (let count = 0; count < 99; count++) await signIn({ prompt: 'consent' });
    expect((await refresh(oldest)).status).toBe(200);
    const newest = await signIn({ prompt: 'consent' });
    expect((await refresh(oldest)).body).toEqual(revoked);
    expect((await refresh(newest)).status).toBe(200);

    control.revoke({ mailbox });
    expect((await refresh(newest)).body).toEqual(revoked);
    expect((await world.gmail('/profile', { token: String(newest.body.access_token) })).status).toBe(401);
    expect((await signIn()).body).toHaveProperty('refresh_token');
  });

  test('B9.25 an application that is being tested loses consent after seven days', async () => {
    const client = { client_id: TESTING.id };
    const tokens = await signIn(client, client);
    world.control.advance({ ms: 7 * DAY - 1 });
    expect((await refresh(tokens, client)).status).toBe(200);
    world.control.advance({ ms: 1 });
    expect((await refresh(tokens, client)).body).toEqual(revoked);
  });

  test('B9.25 an application gives its tokens back', async () => {
    const tokens = await signIn();
    const revoke = () => world.google('/revoke', { form: { token: String(tokens.body.refresh_token) } });
    expect((await revoke()).status).toBe(200);
    expect((await revoke()).body.error).toBe('invalid_token');
    expect((await refresh(tokens)).body).toEqual(revoked);
  });

  test("B9.25 invalid_client and wrong redirects are the operator's problem", async () => {
    const secret = await token({ grant_type: 'refresh_token', client_secret: 'wrong' });
    expect([secret.status, secret.body.error]).toEqual([401, 'invalid_client']);
    expect((await token({ client_id: 'unknown' })).body.error).toBe('invalid_client');
    expect((await token({ grant_type: 'password' })).body.error).toBe('unsupported_grant_type');
    expect((await consent({ client_id: 'unknown' })).answer.status).toBe(401);
    const elsewhere = await redeem((await consent()).back.get('code'), {
      redirect_uri: 'http://localhost/x',
    });
    expect(elsewhere.body.error).toBe('redirect_uri_mismatch');
  });

  test('B9.25 failures as planned: policies, re-authentication, servers that are down', async () => {
    const tokens = await signIn();
    const { control, mailbox } = world;
    control.failGoogleSignIn({ at: 'token', times: 1, error: 'admin_policy_enforced', mailbox });
    expect((await refresh(tokens)).body.error).toBe('admin_policy_enforced');
    const rapt = {
      error: 'invalid_grant',
      description: 'reauth related error (invalid_rapt)',
      subtype: 'invalid_rapt',
    };
    control.failGoogleSignIn({ at: 'token', times: 1, ...rapt });
    expect((await refresh(tokens)).body).toEqual({
      error: 'invalid_grant',
      error_description: 'reauth related error (invalid_rapt)',
      error_subtype: 'invalid_rapt',
    });
    for (const status of [429, 500, 503]) {
      control.failGoogleSignIn({ at: 'token', times: 1, status });
      expect((await refresh(tokens)).status).toBe(status);
    }
    control.fault({ path: '/token', times: 1, fault: { kind: 'reset' } });
    await expect(refresh(tokens)).rejects.toThrow();
    expect((await refresh(tokens)).status).toBe(200);
    control.failGoogleSignIn({ at: 'authorize', times: 1, error: 'access_denied' });
    const { back } = await consent();
    expect([back.get('error'), back.get('code')]).toEqual(['access_denied', null]);
    const secrets = JSON.stringify(control.requests());
    expect(secrets).not.toContain(String(tokens.body.refresh_token));
  });

  test('a service account acts for itself, and for people where an administrator allows it', async () => {
    const { serviceAccount } = world.simulator.google;
    const assert = (more: object) => {
      const seconds = Math.floor(world.control.now() / 1_000);
      const claims = {
        iss: serviceAccount.client_email,
        aud: serviceAccount.token_uri,
        scope: READONLY,
        iat: seconds,
        exp: seconds + 3_600,
        ...more,
      };
      const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
      const unsigned = `${encode({ alg: 'RS256', typ: 'JWT' })}.${encode(claims)}`;
      const signature = sign('sha256', Buffer.from(unsigned), serviceAccount.private_key);
      return world.google('/token', {
        form: {
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: `${unsigned}.${signature.toString('base64url')}`,
        },
      });
    };
    const delegated = await assert({ sub: world.mailbox });
    expect(Object.keys(delegated.body).sort()).toEqual(['access_token', 'expires_in', 'token_type']);
    const access = { token: String(delegated.body.access_token) };
    expect((await world.gmail('/profile', access)).body.emailAddress).toBe(world.mailbox);
    const own = await assert({});
    expect((await world.gmail('/profile', { token: String(own.body.access_token) })).status).toBe(403);
    expect((await assert({ sub: 'nobody@example.com' })).body.error_description).toBe(
      'Invalid email or User ID',
    );
    expect((await assert({ aud: 'https://elsewhere.example.com' })).body.error).toBe('invalid_grant');
    world.control.delegate({ allowed: false });
    const refused = await assert({ sub: world.mailbox });
    expect([refused.status, refused.body.error]).toEqual([401, 'unauthorized_client']);
  });
});
