import { describe, expect, it } from 'vitest';
import { signInError } from './sign-in-errors.ts';

const answer = (body: unknown, status = 400) => signInError({ status, body, retryAfterMs: null });

describe('an answer without tokens', () => {
  it.each([
    [{ error: 'invalid_request', error_codes: [90002] }, 'permanent microsoft.directory_unknown'],
    [{ error: 'invalid_grant', error_codes: [50196] }, 'quota microsoft.sign_in_throttled'],
    [
      { error: 'access_denied', error_description: 'AADSTS65004: User declined.' },
      'auth microsoft.not_agreed',
    ],
    [{ error: 'invalid_grant', error_codes: [1] }, 'auth microsoft.consent_ended'],
    [{ error: 'invalid_client' }, 'permanent microsoft.app_rejected'],
    [{ error: 'never_heard_of' }, 'parse microsoft.sign_in_protocol'],
    [{ access_token: 1 }, 'parse microsoft.sign_in_protocol'],
    [null, 'parse microsoft.sign_in_protocol'],
  ])('%j is %s', (body, verdict) => {
    const { failure, code } = answer(body);
    expect(`${failure} ${code}`).toBe(verdict);
  });

  it('is judged by what it says before its status', () => {
    expect(answer({ error: 'invalid_grant' }, 500).failure).toBe('auth');
    expect(answer({ error: 'never_heard_of' }, 503).failure).toBe('network');
  });

  it('is told in one line, without the ids of the request', () => {
    const error_description =
      'AADSTS50173: The grant has expired.\r\nTrace ID: 1-2\r\nCorrelation ID: 3 Timestamp: 2026';
    const { message } = answer({ error: 'invalid_grant', error_description });
    expect(message).toMatch(/Microsoft said: AADSTS50173: The grant has expired\.$/);
  });
});
