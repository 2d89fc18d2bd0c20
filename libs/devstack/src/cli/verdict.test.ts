import { describe, expect, it } from 'vitest';
import { accountOf } from './testkit.ts';
import { verdict } from './verdict.ts';

describe('verdict', () => {
  const account = accountOf('0190a000-0000-7000-8000-000000000001', 'demo', {
    scopes: 4,
    scopesBackfilled: 4,
  });
  const failure = {
    failure: 'auth',
    code: 'imap.auth_rejected',
    message: 'imap.example.com rejected the credentials of ada.',
    at: '2026-01-01T00:00:00Z',
    attempts: 1,
    retryAt: null,
  } as const;

  it('is good news when it is live, or importing, or slow', () => {
    expect(verdict(account)).toMatchObject({ ok: true, line: expect.stringContaining('all 4 scopes') });
    expect(verdict({ ...account, state: 'backfilling', scopesBackfilled: 1 })).toMatchObject({
      ok: true,
      line: expect.stringContaining('1 of 4'),
    });
    expect(verdict({ ...account, state: 'connecting' }).ok).toBe(true);
  });

  it('gives the failure with its code, and what happens next', () => {
    const rejected = verdict({ ...account, state: 'reauth_required', failure });
    expect(rejected.ok).toBe(false);
    expect(rejected.line).toContain('rejected the credentials of ada. (imap.auth_rejected)');
    expect(rejected.line).toContain('not tried again');
    const owned = verdict({ ...account, state: 'reauth_required', connect: '/v1/connect/x', failure });
    expect(owned.line).toContain(`account reconnect ${account.id}`);
    const offline = verdict({ ...account, state: 'degraded', failure: { ...failure, failure: 'network' } });
    expect(offline.line).toContain('tried again by itself');
  });
});
