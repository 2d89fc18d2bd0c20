import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readEnv } from '../env.ts';
import { readAuthConfig } from './config.ts';

function read(variables: Readonly<Record<string, string>>) {
  const env = readEnv(variables);
  const config = readAuthConfig(env);
  env.check();
  return config;
}

const JWKS = { MAILSTREAM_JWT_JWKS_URL: 'https://login.example.com/keys' };
const OF_ISSUER = { MAILSTREAM_JWT_ISSUER: 'https://login.example.com', MAILSTREAM_JWT_AUDIENCE: 'mail' };

it('a key of our own needs no more to be said', () => {
  expect(read({ MAILSTREAM_JWT_KEY: ' secret\n' })).toEqual({
    jwksUrl: null,
    key: 'secret',
    issuer: 'mailstream',
    audience: 'mailstream',
    tenantClaim: 'tenant',
  });
});

it('a key may be in a file', () => {
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-auth-'));
  const file = join(dir, 'key');
  writeFileSync(file, 'secret\n');
  expect(read({ MAILSTREAM_JWT_KEY_FILE: file }).key).toBe('secret');
  rmSync(dir, { recursive: true });
  expect(() => read({ MAILSTREAM_JWT_KEY_FILE: file })).toThrow('MAILSTREAM_JWT_KEY_FILE cannot be read');
});

it('keys of an identity provider are for an issuer and an audience', () => {
  expect(read({ ...JWKS, ...OF_ISSUER })).toMatchObject({
    jwksUrl: JWKS.MAILSTREAM_JWT_JWKS_URL,
    audience: 'mail',
  });
  expect(() => read(JWKS)).toThrow(/MAILSTREAM_JWT_ISSUER is not set.*MAILSTREAM_JWT_AUDIENCE is not set/);
});

it.each([
  ['nothing', {}, 'set one of them'],
  ['two at once', { ...JWKS, ...OF_ISSUER, MAILSTREAM_JWT_KEY: 'k' }, 'set one of them'],
  [
    'keys that anybody on the way could replace',
    { ...OF_ISSUER, MAILSTREAM_JWT_JWKS_URL: 'http://login.example.com/keys' },
    'https',
  ],
])('%s is refused', (_name, variables, says) => {
  expect(() => read(variables)).toThrow(says);
});
