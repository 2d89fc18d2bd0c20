// Signing in with Microsoft against the simulator's Entra over HTTPS: consent, refresh, applications, and everything that is refused.
import { generateKeyPairSync } from 'node:crypto';
import { createServer } from 'node:http';
import tls from 'node:tls';
import { readEnv } from '@mailstream/runtime';
import {
  createDevCa,
  createSimulator,
  DEMO_CLIENT,
  knownFailures,
  type Simulator,
} from '@mailstream/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIdentityVerifier } from '../oidc.ts';
import { type MicrosoftConfig, readMicrosoftConfig } from './config.ts';
import { createMicrosoftOAuth } from './oauth.ts';

const ADA = 'ada@example.com';
const REDIRECT = 'https://mail.example.com/v1/connect/microsoft/callback';
const VERIFIER = 'a-verifier-that-is-long-enough-to-be-one-0123456789';
const NONCE = 'nonce-1';

const devCa = createDevCa();
const trusted = tls.getCACertificates();
let simulator: Simulator;
let config: MicrosoftConfig;

/** Answers in place of Microsoft what it would not say. */
let said: { status: number; body: object };
let asked: string | undefined;
const other = createServer((request, response) => {
  asked = request.url;
  response.writeHead(said.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(said.body));
});
let otherUrl: string;

beforeAll(async () => {
  tls.setDefaultCACertificates([...trusted, devCa.ca]);
  simulator = await createSimulator({ devCa, startAt: Date.now(), realTime: true });
  simulator.control.createMailbox({ address: ADA });
  simulator.control.createMailbox({ address: 'bob@example.com', kind: 'consumer' });
  config = configOf(simulator);
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const address = other.address();
  otherUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
});
afterAll(async () => {
  await new Promise((resolve) => other.close(resolve));
  await simulator.close();
  tls.setDefaultCACertificates(trusted);
});

function configOf(of: Simulator, more: Readonly<Record<string, string>> = {}): MicrosoftConfig {
  return readMicrosoftConfig(
    readEnv({
      MS_CLIENT_ID: DEMO_CLIENT.id,
      MS_CLIENT_SECRET: DEMO_CLIENT.secret ?? '',
      MS_AUTHORITY: `${of.entra.url}/common`,
      MS_GRAPH_URL: of.graph.url,
      ...more,
    }),
  );
}

/** Signs in as a browser does, and gives what it comes back with. */
async function consent(as = ADA, over: Partial<MicrosoftConfig> = {}): Promise<URLSearchParams> {
  const { consentUrl } = createMicrosoftOAuth({ ...config, ...over });
  const settings = { mailbox: null, user: as };
  const url = consentUrl({ redirectUri: REDIRECT, state: 's', nonce: NONCE, verifier: VERIFIER, settings });
  const answer = await fetch(url, { redirect: 'manual' });
  return new URL(answer.headers.get('location') ?? '').searchParams;
}

async function signIn(
  as = ADA,
  over: Partial<MicrosoftConfig> = {},
  answer: { nonce?: string; verifier?: string } = {},
) {
  const parameters = await consent(as);
  const { redeem } = createMicrosoftOAuth({ ...config, ...over });
  return redeem({ parameters, redirectUri: REDIRECT, nonce: NONCE, verifier: VERIFIER, ...answer });
}

const me = async (accessToken: string) =>
  (await fetch(`${simulator.graph.url}/me`, { headers: { authorization: `Bearer ${accessToken}` } })).status;

describe('consent', () => {
  it('asks for what is configured, with PKCE, and for the person who is meant', () => {
    const { consentUrl } = createMicrosoftOAuth(config);
    const request = { redirectUri: REDIRECT, state: 's', nonce: NONCE, verifier: VERIFIER };
    const asked = new URL(consentUrl({ ...request, settings: null }));
    expect(asked.href).toContain(`${simulator.entra.url}/common/oauth2/v2.0/authorize?`);
    expect(Object.fromEntries(asked.searchParams)).toEqual({
      client_id: DEMO_CLIENT.id,
      response_type: 'code',
      response_mode: 'query',
      redirect_uri: REDIRECT,
      scope: 'offline_access openid profile email User.Read Mail.Read',
      state: 's',
      nonce: NONCE,
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      prompt: 'select_account',
    });
    expect(asked.href).not.toContain(VERIFIER);
    const again = new URL(consentUrl({ ...request, settings: { mailbox: null, user: ADA } })).searchParams;
    expect([again.get('login_hint'), again.get('prompt')]).toEqual([ADA, null]);
  });

  it.each([ADA, 'bob@example.com'])('makes %s an account with tokens that work', async (address) => {
    const { owner, settings, access, grant } = await signIn(address);
    expect(owner).toMatch(/^[\da-f-]{36}\/[\da-f-]{36}$/);
    expect(settings).toEqual({ mailbox: null, user: address });
    expect(grant).toMatchObject({ kind: 'user', refreshToken: expect.any(String) });
    expect(Date.parse(access.expiresAt) - Date.now()).toBeGreaterThan(59 * 60_000);
    expect(await me(access.accessToken)).toBe(200);
  });

  it('of one person has one owner, of two people two', async () => {
    const [first, second, other] = await Promise.all([signIn(), signIn(), signIn('bob@example.com')]);
    expect(second.owner).toBe(first.owner);
    expect(other.owner).not.toBe(first.owner);
  });

  it('that is declined says so', async () => {
    simulator.control.failSignIn({ at: 'authorize', times: 1, aadsts: 65004 });
    await expect(signIn()).rejects.toMatchObject({ failure: 'auth', code: 'microsoft.not_agreed' });
  });

  it('needs an application', () => {
    const { consentUrl } = createMicrosoftOAuth({ ...config, clientId: null });
    expect(() =>
      consentUrl({ redirectUri: REDIRECT, state: 's', nonce: NONCE, verifier: VERIFIER, settings: null }),
    ).toThrow('MS_CLIENT_ID');
  });

  it.each([
    ['MS_SCOPES', { scopes: 'openid User.Read Mail.Read' }],
    ['MS_SCOPES', { scopes: 'offline_access User.Read Mail.Read' }],
  ])('that gives too little names %s', async (name, over) => {
    const parameters = await consent(ADA, over);
    const { redeem } = createMicrosoftOAuth(config);
    await expect(
      redeem({ parameters, redirectUri: REDIRECT, nonce: NONCE, verifier: VERIFIER }),
    ).rejects.toMatchObject({ failure: 'permanent', message: expect.stringContaining(name) });
  });
});

describe('who signed in', () => {
  const UNPROVEN = { failure: 'auth', code: 'microsoft.identity_unproven' };

  it('must have answered this question: another nonce, another verifier', async () => {
    await expect(signIn(ADA, {}, { nonce: 'nonce-2' })).rejects.toMatchObject({
      ...UNPROVEN,
      message: expect.stringContaining('another sign-in'),
    });
    await expect(signIn(ADA, {}, { verifier: 'another' })).rejects.toMatchObject({
      code: 'microsoft.consent_ended',
    });
  });

  it('is said by the directory that issued the token, and by no other', async () => {
    const issuer = 'https://login.example.com/{tenantid}/v2.0';
    await expect(signIn(ADA, { issuer })).rejects.toMatchObject({
      ...UNPROVEN,
      message: expect.stringContaining('issuer'),
    });
    const directory = '00000000-0000-4000-8000-000000000000';
    await expect(signIn(ADA, { directory })).rejects.toMatchObject({
      ...UNPROVEN,
      message: expect.stringContaining(directory),
    });
  });

  it('is signed with a key that is published', async () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const key = { ...publicKey.export({ format: 'jwk' }), kid: 'simulator-key-1', use: 'sig', alg: 'RS256' };
    said = { status: 200, body: { keys: [key] } };
    await expect(signIn(ADA, { keysUrl: otherUrl })).rejects.toMatchObject(UNPROVEN);
    said = { status: 503, body: {} };
    await expect(signIn(ADA, { keysUrl: otherUrl })).rejects.toMatchObject({ failure: 'network' });
  });

  it('is said now, and to this application', async () => {
    const past = await createSimulator({ devCa, startAt: Date.now() - 2 * 3_600_000 });
    try {
      past.control.createMailbox({ address: ADA });
      config = configOf(past);
      await expect(signIn()).rejects.toMatchObject({ ...UNPROVEN, message: expect.stringContaining('exp') });
    } finally {
      config = configOf(simulator);
      await past.close();
    }
    const parameters = await consent();
    const form = {
      client_id: DEMO_CLIENT.id,
      client_secret: DEMO_CLIENT.secret ?? '',
      grant_type: 'authorization_code',
      code: parameters.get('code') ?? '',
      redirect_uri: REDIRECT,
      code_verifier: VERIFIER,
    };
    const url = `${simulator.entra.url}/common/oauth2/v2.0/token`;
    const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
    const { id_token } = (await answer.json()) as { id_token: string };
    const verify = (audience: string) =>
      createIdentityVerifier(`${simulator.entra.url}/common/discovery/v2.0/keys`, audience)(id_token, NONCE);
    await expect(verify(DEMO_CLIENT.id)).resolves.toMatchObject({ aud: DEMO_CLIENT.id });
    await expect(verify('another')).rejects.toThrow('aud');
  });

  describe('is asked of Graph too', () => {
    it('which writes the ids of personal accounts in its own way', async () => {
      const { owner } = await signIn();
      const id = owner.split('/')[1]?.replaceAll('-', '').toUpperCase();
      said = { status: 200, body: { id, mail: null, userPrincipalName: 'ada@upn.example.com' } };
      expect(await signIn(ADA, { graphUrl: otherUrl })).toMatchObject({
        owner,
        settings: { user: 'ada@upn.example.com' },
      });
    });

    it.each([
      ['another person', { status: 200, body: { id: '1', userPrincipalName: 'x' } }, UNPROVEN],
      ['no', { status: 403, body: {} }, { failure: 'permanent', code: 'microsoft.scopes_insufficient' }],
      ['nothing now', { status: 503, body: {} }, { failure: 'network' }],
    ])('and may say %s', async (_what, answer, refusal) => {
      said = answer;
      await expect(signIn(ADA, { graphUrl: otherUrl })).rejects.toMatchObject(refusal);
    });
  });
});

describe('an access token', () => {
  it('is issued anew with the refresh token that came last', async () => {
    const { issue } = createMicrosoftOAuth(config);
    const first = await signIn();
    const second = await issue(first.grant, first.settings);
    expect(second.grant).not.toEqual(first.grant);
    const third = await issue(second.grant, first.settings);
    expect(await me(third.access.accessToken)).toBe(200);
  });

  it('is issued to an application, which asks the directory of the mailbox', async () => {
    const { issue } = createMicrosoftOAuth(config);
    const { access, grant } = await issue({ kind: 'app' }, { mailbox: ADA });
    expect(grant).toEqual({ kind: 'app' });
    const url = `${simulator.graph.url}/users/${ADA}/mailFolders`;
    const headers = { authorization: `Bearer ${access.accessToken}`, prefer: 'IdType="ImmutableId"' };
    expect((await fetch(url, { headers })).status).toBe(200);
  });

  it.each([
    ['common', undefined, 'example.com'],
    ['common', 'contoso.example.com', 'contoso.example.com'],
    ['fabrikam.example.com', undefined, 'fabrikam.example.com'],
  ])('under %s with directory %s is asked of %s', async (directory, given, expected) => {
    said = { status: 200, body: { access_token: 'a', token_type: 'Bearer', expires_in: 3_600 } };
    const { issue } = createMicrosoftOAuth({ ...config, directory, tokenUrl: `${otherUrl}/{tenantid}` });
    const settings = { mailbox: ADA, ...(given === undefined ? {} : { directory: given }) };
    expect((await issue({ kind: 'app' }, settings)).access.accessToken).toBe('a');
    expect(asked).toBe(`/${expected}`);
  });

  it('is not issued where nobody answers', async () => {
    const { issue } = createMicrosoftOAuth({ ...config, tokenUrl: 'http://127.0.0.1:9' });
    await expect(issue({ kind: 'app' }, { mailbox: ADA })).rejects.toMatchObject({
      failure: 'network',
      code: 'microsoft.sign_in_unavailable',
    });
  });

  it('is not issued on what makes no sense', async () => {
    const { issue } = createMicrosoftOAuth(config);
    await expect(issue({ kind: 'app' }, { mailbox: null, user: ADA })).rejects.toMatchObject({
      failure: 'permanent',
    });
  });
});

describe('a refusal', () => {
  const CLASSES = {
    'auth microsoft.consent_ended': [50132, 50133, 50173, 54005, 70000, 70008, 70043, 501481, 700082, 700084],
    'auth microsoft.verification_needed': [50074, 50076, 50078, 50079, 50158],
    'auth microsoft.policy': [53000, 53001, 53002, 53003],
    'auth microsoft.not_agreed': [65001, 65004],
    'auth microsoft.password_expired': [50055],
    'auth microsoft.account_disabled': [50057],
    'permanent microsoft.app_rejected': [70003, 700016, 7000215, 7000222, 900144],
    'permanent microsoft.redirect_unknown': [50011],
    'network microsoft.sign_in_unavailable': [90024, 90033],
  };

  it('is known for all that Entra is known to say', () => {
    expect(Object.values(CLASSES).flat().sort()).toEqual(knownFailures().sort());
  });

  it.each(Object.entries(CLASSES))('is %s', async (verdict, numbers) => {
    const { grant, settings } = await signIn();
    for (const aadsts of numbers) {
      simulator.control.failSignIn({ at: 'token', times: 1, aadsts });
      const refusal = await createMicrosoftOAuth(config)
        .issue(grant, settings)
        .catch((error) => error);
      expect(`${refusal.failure} ${refusal.code}`).toBe(verdict);
      expect(refusal.message).toContain(`AADSTS${aadsts}`);
      expect(refusal.message).not.toMatch(/Trace ID|Correlation/);
    }
  });

  it.each([
    [429, { failure: 'quota', code: 'microsoft.sign_in_throttled', retryAfterMs: 5_000 }],
    [500, { failure: 'network', code: 'microsoft.sign_in_unavailable' }],
    [404, { failure: 'parse', code: 'microsoft.sign_in_protocol' }],
  ])('with status %i and no JSON is classified by it', async (status, expected) => {
    const { grant, settings } = await signIn();
    simulator.control.failSignIn({ at: 'token', times: 1, status });
    await expect(createMicrosoftOAuth(config).issue(grant, settings)).rejects.toMatchObject(expected);
  });

  it.each(['http://nobody.invalid/token', 'http://127.0.0.1:9/token'])(
    'at %s, where nobody answers, passes',
    async (tokenUrl) => {
      const { grant, settings } = await signIn();
      await expect(
        createMicrosoftOAuth({ ...config, tokenUrl }).issue(grant, settings),
      ).rejects.toMatchObject({
        failure: 'network',
        code: 'microsoft.sign_in_unavailable',
      });
    },
  );

  it('of consent taken back asks for the owner, of a wrong secret for the operator', async () => {
    const { grant, settings } = await signIn('bob@example.com');
    simulator.control.revoke({ mailbox: 'bob@example.com' });
    await expect(createMicrosoftOAuth(config).issue(grant, settings)).rejects.toMatchObject({
      failure: 'auth',
      message: expect.stringContaining('its owner has to sign in again'),
    });
    await expect(
      createMicrosoftOAuth({ ...config, clientSecret: 'wrong' }).issue(grant, settings),
    ).rejects.toMatchObject({
      failure: 'permanent',
      message: expect.stringContaining('Nobody has to sign in again'),
    });
  });
});
