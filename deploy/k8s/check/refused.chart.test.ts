/** What the chart refuses before anything is changed, and what it says then. */
import { expect, test } from 'vitest';
import { helm } from './render.ts';

test.each([
  ['a value that there is not', ['gateway.replica=3'], /replica/],
  ['a value of another kind', ['gateway.replicas=many'], /replicas/],
  [
    'a variable that nobody reads',
    ['config.MAILSTREAM_HTTP_ONLY=yes'],
    /MAILSTREAM_HTTP_ONLY: no service reads it/,
  ],
  ['a secret among the configuration', ['config.MS_CLIENT_SECRET=abc'], /secrets.MS_CLIENT_SECRET: \{\}/],
  ['credentials in an address', ['config.NATS_URL=nats://user:secret@nats:4222'], /put it into a Secret/],
  ['no NATS', ['config.NATS_URL=null'], /config.NATS_URL is missing/],
  ['two of NATS', ['firstTry.nats.enabled=true'], /take one away/],
  ['no database', ['secrets.DATABASE_URL=null'], /secrets.DATABASE_URL is missing/],
  ['the login of the API without the owner', ['secrets.MIGRATION_DATABASE_URL=null'], /belong together/],
  ['no key for credentials', ['secrets.MAILSTREAM_KEY_FILE=null'], /say one of them/],
  ['nothing to recognise callers by', ['secrets.MAILSTREAM_JWT_KEY_FILE=null'], /say exactly one/],
  [
    'two ways to recognise callers',
    ['config.MAILSTREAM_JWT_JWKS_URL=https://a.example.com'],
    /say exactly one/,
  ],
  ['scaling without a place to look', ['keda.enabled=true'], /keda.natsMonitoring is missing/],
  ['an ingress without a name', ['ingress.enabled=true'], /ingress.host is missing/],
])('%s', (_what, set, message) => {
  const { ok, stderr } = helm('template', 'minimal', ...set.flatMap((value) => ['--set', value]));
  expect(stderr).toMatch(message);
  expect(ok).toBe(false);
});
