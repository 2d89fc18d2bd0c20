import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newApiKey } from './api-key.ts';
import { createAuthenticate } from './authenticate.ts';

const secret = 'a secret of 32 bytes or more, for tests';
const config = {
  jwksUrl: null,
  key: secret,
  issuer: 'mailstream',
  audience: 'mailstream',
  tenantClaim: 'tenant',
};
const key = newApiKey();
const found = { tenant: 'acme', prefix: key.prefix, scopes: [], expiresAt: null };
const authenticate = createAuthenticate(config, async (digest) => (digest === key.digest ? found : null));

it('an API key is taken where a token is', async () => {
  expect(await authenticate(`bearer ${key.text}`)).toMatchObject({ tenant: 'acme' });
});

it('whatever else is sent is refused, and is nobody’s fault but the caller’s', async () => {
  const json = fc.oneof(
    fc.json(),
    fc.constantFrom(
      '{"alg":"HS256"}',
      '{"alg":"none"}',
      '{"alg":"RS256"}',
      '{"alg":"HS256","crit":["x"]}',
      '{"alg":7}',
    ),
  );
  const part = fc.oneof(
    json.map((text) => Buffer.from(text).toString('base64url')),
    fc.base64String(),
    fc.string(),
  );
  const token = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join('.'));
  const header = fc.oneof(
    fc.string(),
    token.map((text) => `Bearer ${text}`),
    fc.string().map((text) => `Bearer ms_${text}`),
  );
  await fc.assert(
    fc.asyncProperty(header, async (text) => {
      await expect(authenticate(text)).rejects.toMatchObject({
        code: expect.stringMatching(/^auth\.(missing|refused)$/),
      });
    }),
    { numRuns: 500 },
  );
});
