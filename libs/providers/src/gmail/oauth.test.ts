// Signing in with Google against the simulator over HTTPS: consent, refresh, service accounts, and what is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { readEnv } from '@mailstream/runtime';
import { createDevCa, createSimulator, DEMO_GOOGLE_CLIENT, type Simulator } from '@mailstream/simulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type GoogleConfig, readGoogleConfig } from './config.ts';
import { createGoogleOAuth } from './oauth.ts';

const ADA = 'ada@example.com';
const REDIRECT = 'https://mail.example.com/v1/connect/google/callback';
const VERIFIER = 'a-verifier-that-is-long-enough-to-be-one-0123456789';
const NONCE = 'nonce-1';
const READONLY = 'https://www.googleapis.com/auth/gmail.readonly';

const devCa = createDevCa();
const trusted = tls.getCACertificates();
const dir = mkdtempSync(join(tmpdir(), 'google-'));
let simulator: Simulator;
let config: GoogleConfig;

beforeAll(async () => {
  tls.setDefaultCACertificates([...trusted, devCa.ca]);
  simulator = await createSimulator({ devCa, startAt: Date.now(), realTime: true });
  simulator.control.createMailbox({ address: ADA, provider: 'google' });
  const { google, gmail } = simulator;
  const keyFile = join(dir, 'key.json');
  writeFileSync(keyFile, JSON.stringify(google.serviceAccount));
  config = readGoogleConfig(
    readEnv({
      GOOGLE_CLIENT_ID: DEMO_GOOGLE_CLIENT.id,
      GOOGLE_CLIENT_SECRET: DEMO_GOOGLE_CLIENT.secret,
      GOOGLE_AUTHORIZE_URL: `${google.url}/o/oauth2/v2/auth`,
      GOOGLE_TOKEN_URL: `${google.url}/token`,
      GOOGLE_CERTS_URL: `${google.url}/oauth2/v3/certs`,
      GOOGLE_SERVICE_ACCOUNT_FILE: keyFile,
      GMAIL_BASE_URL: gmail.url,
    }),
  );
});
afterAll(async () => {
  rmSync(dir, { recursive: true });
  await simulator.close();
  tls.setDefaultCACertificates(trusted);
});

/** Signs in as a browser does, and gives what it comes back with. */
async function consent(settings: unknown = { user: ADA }): Promise<URLSearchParams> {
  const request = { redirectUri: REDIRECT, state: 's', nonce: NONCE, verifier: VERIFIER, settings };
  const answer = await fetch(createGoogleOAuth(config).consentUrl(request), { redirect: 'manual' });
  return new URL(answer.headers.get('location') ?? '').searchParams;
}

async function signIn(over: Partial<GoogleConfig> = {}, answer: { nonce?: string; verifier?: string } = {}) {
  const parameters = await consent();
  const { redeem } = createGoogleOAuth({ ...config, ...over });
  return redeem({ parameters, redirectUri: REDIRECT, nonce: NONCE, verifier: VERIFIER, ...answer });
}

const profile = async (accessToken: string) => {
  const headers = { authorization: `Bearer ${accessToken}` };
  return (await fetch(`${simulator.gmail.url}/gmail/v1/users/me/profile`, { headers })).status;
};

describe('consent', () => {
  it('asks to read only, offline, with PKCE, and for the person who is meant', () => {
    const request = { redirectUri: REDIRECT, state: 's', nonce: NONCE, verifier: VERIFIER };
    const asked = new URL(createGoogleOAuth(config).consentUrl({ ...request, settings: { user: ADA } }));
    expect(Object.fromEntries(asked.searchParams)).toMatchObject({
      client_id: DEMO_GOOGLE_CLIENT.id,
      scope: `openid email ${READONLY}`,
      access_type: 'offline',
      include_granted_scopes: 'true',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      code_challenge_method: 'S256',
      prompt: 'consent',
      login_hint: ADA,
    });
    expect(asked.href).not.toContain(VERIFIER);
  });

  it('makes an account with tokens that work, owned by the same person each time', async () => {
    const first = await signIn();
    expect(first.settings).toEqual({ user: ADA });
    expect(first.owner).toMatch(/^\d+$/);
    expect(first.grant).toEqual({ kind: 'user', refreshToken: expect.any(String) });
    expect(await profile(first.access.accessToken)).toBe(200);
    expect((await signIn()).owner).toBe(first.owner);
  });

  it.each([
    ['another nonce', {}, { nonce: 'other' }, 'google.identity_unproven'],
    ['another issuer', { issuer: 'https://elsewhere.example.com' }, {}, 'google.identity_unproven'],
    ['another verifier', {}, { verifier: 'other' }, 'google.consent_ended'],
    ['a wrong secret', { clientSecret: 'wrong' }, {}, 'google.app_rejected'],
    ['keys that cannot be had', { keysUrl: 'https://127.0.0.1:1/' }, {}, 'google.sign_in_unavailable'],
  ])('is worth nothing with %s', async (_, over, answer, code) => {
    await expect(signIn(over, answer)).rejects.toMatchObject({ code });
  });

  it('without the box that lets mail be read is refused in words', async () => {
    simulator.control.revoke({ mailbox: ADA });
    simulator.control.withholdScopes({ mailbox: ADA, scopes: [READONLY] });
    await expect(signIn()).rejects.toMatchObject({
      code: 'google.scopes_insufficient',
      message: expect.stringContaining('tick all boxes'),
    });
    simulator.control.withholdScopes({ mailbox: ADA, scopes: [] });
  });

  it('that a person refuses says so', async () => {
    simulator.control.failGoogleSignIn({ at: 'authorize', times: 1, error: 'access_denied' });
    await expect(signIn()).rejects.toMatchObject({ code: 'google.not_agreed', failure: 'auth' });
  });
});

describe('tokens', () => {
  it('are issued again with the grant that stays the same', async () => {
    const { grant, settings } = await signIn();
    const issued = await createGoogleOAuth(config).issue(grant, settings);
    expect(issued.grant).toEqual(grant);
    expect(await profile(issued.access.accessToken)).toBe(200);
  });

  it('end with the consent, and the owner is told of the seven days of testing', async () => {
    const { grant, settings } = await signIn();
    simulator.control.revoke({ mailbox: ADA });
    await expect(createGoogleOAuth(config).issue(grant, settings)).rejects.toMatchObject({
      failure: 'auth',
      code: 'google.consent_ended',
      message: expect.stringMatching(/sign in again.*seven days.*testing/),
    });
  });

  it.each([
    [{ status: 503 }, 'network', 'google.sign_in_unavailable'],
    [{ status: 429 }, 'quota', 'google.sign_in_throttled'],
    [{ error: 'invalid_grant', subtype: 'invalid_rapt' }, 'auth', 'google.verification_needed'],
    [{ error: 'admin_policy_enforced' }, 'auth', 'google.policy'],
  ])('that are not to be had, %j, are classified', async (failure, kind, code) => {
    const { grant, settings } = await signIn();
    simulator.control.failGoogleSignIn({ at: 'token', times: 1, ...failure });
    await expect(createGoogleOAuth(config).issue(grant, settings)).rejects.toMatchObject({
      failure: kind,
      code,
    });
  });
});

describe('a service account', () => {
  const grant = { kind: 'app' };

  it('reads a mailbox of its domain', async () => {
    const { access } = await createGoogleOAuth(config).issue(grant, { mailbox: ADA });
    expect(await profile(access.accessToken)).toBe(200);
  });

  it('that nobody delegated to, or whose key is missing, is the operator’s to mend', async () => {
    simulator.control.delegate({ allowed: false });
    await expect(createGoogleOAuth(config).issue(grant, { mailbox: ADA })).rejects.toMatchObject({
      failure: 'permanent',
      code: 'google.app_rejected',
    });
    simulator.control.delegate({ allowed: true });
    const { issue } = createGoogleOAuth({ ...config, serviceAccountFile: '/nowhere' });
    await expect(issue(grant, { mailbox: ADA })).rejects.toMatchObject({ code: 'google.not_configured' });
  });
});
