import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { signToken } from './sign-token.ts';
import { staticKey } from './static-key.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ed = generateKeyPairSync('ed25519');
const x = generateKeyPairSync('x25519');
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' });
const spki = (key: typeof rsa.publicKey) => key.export({ type: 'spki', format: 'pem' }).toString();
const jwk = (key: typeof rsa.publicKey) => JSON.stringify(key.export({ format: 'jwk' }));

describe('a key pins its algorithms', () => {
  it.each([
    ['a secret', 'x'.repeat(32), ['HS256']],
    ['RSA', spki(rsa.publicKey), ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']],
    ['an elliptic curve', jwk(p384.publicKey), ['ES384']],
    ['Ed25519', jwk(ed.publicKey), ['EdDSA', 'Ed25519']],
  ])('%s', (_name, text, algorithms) => {
    expect(staticKey(text).algorithms).toEqual(algorithms);
  });
});

describe('what is no key to check with', () => {
  it.each([
    ['a short secret', 'x'.repeat(31), 'at least 32 bytes'],
    [
      'a private key',
      rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      'must be a public key',
    ],
    ['a private JWK', JSON.stringify(rsa.privateKey.export({ format: 'jwk' })), 'private'],
    ['a secret as JWK', '{"kty":"oct","k":"c2VjcmV0"}', 'plain text'],
    ['a key that does not sign', spki(x.publicKey), 'x25519'],
    ['half a PEM', '-----BEGIN PUBLIC KEY-----\nabc', 'cannot be read'],
    ['half a JWK', '{"kty":', 'cannot be read'],
  ])('%s', (_name, text, says) => {
    let thrown: unknown;
    try {
      staticKey(text);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toMatchObject({ code: 'config.invalid', message: expect.stringContaining(says) });
    expect(String(thrown)).not.toContain(text);
  });

  it('nobody signs with a public one', async () => {
    const caller = { tenant: 'acme', subject: 'ada', scopes: [] };
    await expect(signToken(spki(rsa.publicKey), caller, new Date())).rejects.toThrow('made with a secret');
  });
});
