import { generateKeyPairSync } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuthConfig } from './config.ts';
import { createTokenCheck } from './jwt.ts';

const SECRET = 'a secret of 32 bytes or more, for tests';
const base: AuthConfig = {
  jwksUrl: null,
  key: SECRET,
  issuer: 'https://login.example.com',
  audience: 'mailstream',
  tenantClaim: 'tenant',
};
const ecKeys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const rsaKeys = generateKeyPairSync('rsa', { modulusLength: 2048 });
const pem = (key: typeof rsaKeys.publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();
const secret = Buffer.from(SECRET);

interface Making {
  readonly alg?: string;
  readonly kid?: string;
  readonly key?: Parameters<SignJWT['sign']>[0];
  readonly claims?: Record<string, unknown>;
}

/** A good token, but for what is said. A claim that is undefined is left out. */
function make({ alg = 'HS256', kid, key = secret, claims = {} }: Making = {}): Promise<string> {
  const now = Math.floor(Date.now() / 1_000);
  const good = { iss: base.issuer, aud: base.audience, sub: 'ada', tenant: 'acme', exp: now + 60 };
  return new SignJWT({ ...good, scope: 'messages:read openid', ...claims })
    .setProtectedHeader({ alg, ...(kid !== undefined && { kid }) })
    .sign(key);
}

const unsigned = async () => {
  const [, body] = (await make()).split('.');
  return `${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`;
};
const seconds = (offset: number) => Math.floor(Date.now() / 1_000) + offset;

describe('a token', () => {
  const check = createTokenCheck(base);

  it('says who calls; scopes of others are left out', async () => {
    expect(await check(await make())).toEqual({ tenant: 'acme', subject: 'ada', scopes: ['messages:read'] });
  });

  it.each([
    ['scp as text', { scope: undefined, scp: 'accounts:read admin' }, ['accounts:read', 'admin']],
    ['scp as a list', { scope: undefined, scp: ['sync:write', 7] }, ['sync:write']],
    ['none', { scope: undefined }, []],
  ])('has scopes: %s', async (_name, claims, scopes) => {
    expect((await check(await make({ claims }))).scopes).toEqual(scopes);
  });

  it('may name its tenant in another claim', async () => {
    const claim = 'https://example.com/tenant';
    const other = createTokenCheck({ ...base, tenantClaim: claim });
    expect((await other(await make({ claims: { [claim]: 'globex' } }))).tenant).toBe('globex');
  });

  it('is still good while clocks differ by a few seconds', async () => {
    expect((await check(await make({ claims: { exp: seconds(-5) } }))).subject).toBe('ada');
  });

  it.each([
    ['no end', { exp: undefined }, '"exp"'],
    ['an end that is over', { exp: seconds(-15) }, 'has expired'],
    ['a beginning to come', { nbf: seconds(15) }, '"nbf"'],
    ['another issuer', { iss: 'https://evil.example.com' }, '"iss"'],
    ['another audience', { aud: 'somebody' }, '"aud"'],
    ['no audience', { aud: undefined }, '"aud"'],
    ['no subject', { sub: undefined }, '"sub"'],
    ['no tenant', { tenant: undefined }, '"tenant"'],
    ['a tenant that would be several', { tenant: ['a', 'b'] }, '"tenant"'],
    ['a tenant with a dot', { tenant: 'acme.evil' }, '"tenant"'],
    ['a tenant that is a wildcard', { tenant: '>' }, '"tenant"'],
  ])('is refused for %s', async (_name, claims, says) => {
    const failing = check(await make({ claims }));
    await expect(failing).rejects.toMatchObject({
      code: 'auth.refused',
      errorClass: 'auth',
      message: expect.stringContaining(says),
      headers: {
        'www-authenticate': expect.stringMatching(
          /^Bearer realm="mailstream", error="invalid_token", error_description="[^"]+"$/,
        ),
      },
    });
  });

  it.each([
    ['another secret', () => make({ key: Buffer.from(`${SECRET}!`) })],
    ['another algorithm', () => make({ alg: 'HS384', key: secret })],
    ['no signature', unsigned],
    ['nothing of a JWT', async () => 'guess'],
    ['something cut off', async () => (await make()).slice(0, -4)],
  ])('is refused for %s', async (_name, token) => {
    await expect(token().then(check)).rejects.toMatchObject({ code: 'auth.refused' });
  });
});

describe('a public key', () => {
  it('checks what its other half signed', async () => {
    const check = createTokenCheck({ ...base, key: pem(ecKeys.publicKey) });
    expect((await check(await make({ alg: 'ES256', key: ecKeys.privateKey }))).tenant).toBe('acme');
  });

  it('is never taken for a secret: who knows it cannot sign with it', async () => {
    const key = pem(rsaKeys.publicKey);
    const check = createTokenCheck({ ...base, key });
    for (const forged of [key, key.trim(), `${key}\n`]) {
      const token = make({ key: Buffer.from(forged) });
      await expect(token.then(check)).rejects.toMatchObject({ code: 'auth.refused' });
    }
  });
});

describe('keys by URL', () => {
  let server: Server;
  let url: string;
  let fetched = 0;
  let answer: { status: number; keys: readonly object[] };
  /** Instead of the answer. */
  let trouble: RequestListener | null = null;

  beforeAll(async () => {
    server = createServer((request, response) => {
      fetched += 1;
      if (trouble) return trouble(request, response);
      response.writeHead(answer.status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: answer.keys }));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
    answer = { status: 200, keys: [{ ...(await exportJWK(ecKeys.publicKey)), kid: 'one', alg: 'ES256' }] };
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  const byUrl = () => createTokenCheck({ ...base, key: null, jwksUrl: url });
  const signed = (kid: string) => make({ alg: 'ES256', kid, key: ecKeys.privateKey });

  it('are fetched once, and not again for each unknown key', async () => {
    const check = byUrl();
    const before = fetched;
    const tokens = await Promise.all([signed('one'), signed('one'), signed('one')]);
    await Promise.all(tokens.map(check));
    expect(fetched - before).toBe(1);
    for (let n = 0; n < 5; n += 1)
      await expect(signed(`unknown-${n}`).then(check)).rejects.toMatchObject({ code: 'auth.refused' });
    expect(fetched - before).toBe(1);
  });

  it('are no secrets, even if somebody publishes one', async () => {
    answer = {
      ...answer,
      keys: [{ kty: 'oct', k: secret.toString('base64url'), kid: 'secret', alg: 'HS256' }],
    };
    await expect(make({ kid: 'secret' }).then(byUrl())).rejects.toMatchObject({ code: 'auth.refused' });
  });

  it('that cannot be fetched are not the fault of the caller', async () => {
    answer = { ...answer, status: 500 };
    await expect(signed('one').then(byUrl())).rejects.toMatchObject({
      code: 'auth.unavailable',
      errorClass: 'network',
      headers: { 'retry-after': '2' },
    });
  });

  it('are read to a bound of bytes, and of time', async () => {
    let written = 0;
    const mebibyte = ' '.repeat(1024 * 1024);
    const check = createTokenCheck({ ...base, key: null, jwksUrl: url }, 2_000);
    const endless: RequestListener = (_request, response) => {
      response.writeHead(200);
      const more = () => {
        do written += 1;
        while (!response.destroyed && response.write(mebibyte));
      };
      response.on('drain', more);
      more();
    };
    const silent: RequestListener = (_request, response) => response.writeHead(200).write('{"keys":[');
    for (trouble of [endless, silent])
      await expect(signed('one').then(check)).rejects.toMatchObject({ code: 'auth.unavailable' });
    trouble = null;
    expect(written).toBeLessThan(32);
    answer = { status: 200, keys: [{ ...(await exportJWK(ecKeys.publicKey)), kid: 'one', alg: 'ES256' }] };
    expect((await check(await signed('one'))).tenant).toBe('acme');
  });
});
