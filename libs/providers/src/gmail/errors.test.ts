import { expect, it } from 'vitest';
import { refusalOf } from './errors.ts';

const NOW = Date.UTC(2026, 6, 18, 11, 59);

function refusal(status: number, reason = '', message = '', retryAfter: string | null = null) {
  const body = { error: { code: status, message, errors: [{ reason, domain: 'global', message }] } };
  const { failure, code, retryAfterMs } = refusalOf({ status, retryAfter, body }, NOW);
  return [failure, code, retryAfterMs];
}

it.each([
  [401, 'authError', 'auth', 'gmail.auth_rejected'],
  [403, 'rateLimitExceeded', 'quota', 'gmail.throttled'],
  [403, 'userRateLimitExceeded', 'quota', 'gmail.throttled'],
  [403, 'dailyLimitExceeded', 'quota', 'gmail.throttled'],
  [403, 'insufficientPermissions', 'auth', 'gmail.access_denied'],
  [403, 'domainPolicy', 'auth', 'gmail.policy'],
  [403, 'accessNotConfigured', 'permanent', 'gmail.api_disabled'],
  [404, 'notFound', 'gone', 'gmail.message_gone'],
  [429, 'rateLimitExceeded', 'quota', 'gmail.throttled'],
  [500, 'backendError', 'network', 'gmail.unavailable'],
  [504, '', 'timeout', 'gmail.timeout'],
  [302, '', 'parse', 'gmail.protocol'],
])('tells %i %s', (status, reason, failure, code) => {
  expect(refusal(status, reason)).toEqual([failure, code, null]);
});

it('knows an account without mail', () => {
  expect(refusal(400, 'failedPrecondition', 'Mail service not enabled')[1]).toBe('gmail.no_mailbox');
});

it('waits as long as it is told, wherever that stands', () => {
  const text = 'User-rate limit exceeded.  Retry after 2026-07-18T12:00:00.000Z';
  expect(refusal(403, 'userRateLimitExceeded', text)[2]).toBe(60_000);
  expect(refusal(429, '', '', '7')[2]).toBe(7_000);
});

it('makes something of answers that are no JSON', () => {
  expect(refusalOf({ status: 502, retryAfter: null, body: undefined }, NOW).code).toBe('gmail.unavailable');
});
