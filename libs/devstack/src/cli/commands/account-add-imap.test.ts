import type { Account } from '@mailstream/contracts';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.ts';
import { readRequest, verdict } from './account-add-imap.ts';

const where = ['--host', 'imap.example.com', '--user', 'ada@example.com'];

describe('readRequest', () => {
  it.each([
    [[], { secure: true }],
    [['--port', '1993'], { secure: true, port: 1_993 }],
    [['--starttls'], { secure: false }],
    [['--insecure-plaintext', '--port', '143'], { secure: false, port: 143, allowPlaintext: true }],
    [['--insecure-certificate'], { secure: true, allowInvalidCertificate: true }],
  ])('%j', (args, settings) => {
    expect(readRequest([...where, ...args]).request).toEqual({
      provider: 'imap',
      settings: { host: 'imap.example.com', user: 'ada@example.com', ...settings },
    });
  });

  it.each(['--password', '--password=secret', '--pass', '-p', '--pass=x'])(
    'refuses %s and says why',
    (argument) => {
      expect(() => readRequest([...where, argument, 'secret'])).toThrow(UsageError);
      expect(() => readRequest([...where, argument])).toThrow(
        /never an argument, because everybody on this machine/,
      );
    },
  );

  it('wants host and user, and a port that is one', () => {
    expect(() => readRequest(['--user', 'ada'])).toThrow('--host is missing');
    expect(() => readRequest(['--host', 'imap.example.com'])).toThrow('--user is missing');
    expect(() => readRequest([...where, '--port', '70000'])).toThrow('--port must be');
  });
});

describe('verdict', () => {
  const account: Account = {
    id: '0190a000-0000-7000-8000-000000000001',
    name: 'demo',
    tenant: 'default',
    provider: 'imap',
    state: 'live',
    reason: null,
    settings: {},
    push: 'idle',
    webhook: null,
    createdAt: '2026-01-01T00:00:00Z',
    credentialVersion: 1,
    connect: null,
    scopes: 4,
    scopesBackfilled: 4,
    failure: null,
  };
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
    const offline = verdict({ ...account, state: 'degraded', failure: { ...failure, failure: 'network' } });
    expect(offline.line).toContain('tried again by itself');
  });
});
