// Tokens of pushes: which are believed, and how often Google's keys are asked for.
import { createServer, type Server } from 'node:http';
import { exportJWK, type GenerateKeyPairResult, generateKeyPair, type JWK, SignJWT } from 'jose';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPushVerifier } from './push-token.ts';

const AUDIENCE = 'https://mail.example.com/v1/webhooks/google';
const SENDER = 'push@project.example.com';
const GOOGLE = 'https://accounts.google.com';

let pair: GenerateKeyPairResult;
let jwk: JWK;
let server: Server;
let reads: number;
/** What is there in place of the keys; null: the keys. */
let answer: { status: number; body: string } | null;
let verify: ReturnType<typeof createPushVerifier>;

beforeAll(async () => {
  pair = await generateKeyPair('RS256');
  jwk = { ...(await exportJWK(pair.publicKey)), kid: 'k1', alg: 'RS256', use: 'sig' };
});

beforeEach(async () => {
  reads = 0;
  answer = null;
  server = createServer((_request, response) => {
    reads += 1;
    const { status, body } = answer ?? { status: 200, body: JSON.stringify({ keys: [jwk] }) };
    response.writeHead(status, { 'content-type': 'application/json' }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  verify = verifier();
});
afterEach(() => new Promise((resolve) => server.close(resolve)));

function verifier(over: { serviceAccount?: null; audience?: null } = {}) {
  const at = server.address();
  const keysUrl = `http://127.0.0.1:${typeof at === 'object' ? at?.port : ''}/certs`;
  const config = {
    serviceAccount: SENDER,
    audience: AUDIENCE,
    keysUrl,
    issuer: GOOGLE,
    queue: null,
    ...over,
  };
  return createPushVerifier(config);
}

interface Claims {
  readonly [name: string]: unknown;
}

async function token(claims: Claims = {}, head: { kid?: string } = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const all = { iss: GOOGLE, aud: AUDIENCE, email: SENDER, email_verified: true, exp: now + 600, ...claims };
  const jwt = new SignJWT(all).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...head });
  return `Bearer ${await jwt.sign(pair.privateKey)}`;
}

const unsigned = (claims: object) =>
  `Bearer ${[{ alg: 'none' }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')}.`;

it.each([
  ['as Google writes it', {}],
  ['without https in its issuer', { iss: 'accounts.google.com' }],
  ['for several audiences', { aud: [AUDIENCE, 'https://other.example.com'] }],
])('a token %s is genuine', async (_what, claims) => {
  expect(await verify(await token(claims))).toEqual({ outcome: 'genuine' });
});

describe('a token is refused', () => {
  it.each<[string, Claims, string]>([
    ['for another audience', { aud: 'https://other.example.com' }, 'token_audience'],
    ['without an audience', { aud: undefined }, 'token_audience'],
    ['of another issuer', { iss: 'https://accounts.example.com' }, 'token_issuer'],
    ['of another service account', { email: 'other@project.example.com' }, 'token_sender'],
    ['whose e-mail is not verified', { email_verified: false }, 'token_sender'],
    ['whose e-mail is verified in words only', { email_verified: 'true' }, 'token_sender'],
    ['without an e-mail', { email: undefined }, 'token_sender'],
    ['that has expired', { exp: Math.floor(Date.now() / 1_000) - 120 }, 'token_expired'],
    ['that never expires', { exp: undefined }, 'token_invalid'],
  ])('%s', async (_what, claims, reason) => {
    expect(await verify(await token(claims))).toMatchObject({ outcome: 'refused', reason });
  });

  it('when it is not signed, or by somebody else, or changed', async () => {
    const [head, , signature] = (await token()).split('.');
    const other = (await token({ email_verified: 'yes' })).split('.')[1];
    const stranger = await generateKeyPair('RS256');
    const jwt = new SignJWT({ aud: AUDIENCE }).setProtectedHeader({ alg: 'RS256', kid: 'k1' });
    const theirs = `Bearer ${await jwt.sign(stranger.privateKey)}`;
    const bad = [
      unsigned({ aud: AUDIENCE, email: SENDER }),
      theirs,
      `${head}.${other}.${signature}`,
      'Bearer x',
    ];
    for (const one of bad)
      expect(await verify(one)).toMatchObject({ outcome: 'refused', reason: 'token_invalid' });
  });

  it.each([undefined, '', 'Basic abc', 'Bearer '])('when it is %j', async (authorization) => {
    expect(await verify(authorization)).toMatchObject({ outcome: 'refused', reason: 'token_missing' });
  });

  it.each([{ serviceAccount: null }, { audience: null }])('when nobody is to push: %j', async (over) => {
    const proof = await verifier(over)(await token());
    expect(proof).toMatchObject({ outcome: 'refused', reason: 'not_configured' });
    expect(reads).toBe(0);
  });
});

describe('the keys', () => {
  it('are read once, whatever comes', async () => {
    for (let n = 0; n < 20; n++) await verify(await token({ aud: 'https://other.example.com' }));
    for (let n = 0; n < 20; n++) await verify(await token({}, { kid: `unknown-${n}` }));
    for (let n = 0; n < 20; n++) await verify(unsigned({}));
    expect(await verify(await token())).toEqual({ outcome: 'genuine' });
    expect(reads).toBe(1);
  });

  it.each([
    ['an error', { status: 500, body: '' }],
    ['something else', { status: 200, body: '<html>' }],
    ['no keys', { status: 200, body: '{}' }],
  ])('that are %s leave open who sends, and are not asked for each time', async (_what, instead) => {
    answer = instead;
    for (let n = 0; n < 20; n++) expect(await verify(await token())).toMatchObject({ outcome: 'unknown' });
    expect(reads).toBe(1);
  });
});
