// The doctor's findings from a status report.
import type { Account, StatusReport } from '@mailstream/contracts';
import { expect, it } from 'vitest';
import { adviceFor } from './advice.ts';
import { diagnose } from './diagnose.ts';

const NOW = new Date('2026-01-01T12:00:00Z');

const account = (over: Partial<Account>): Account => {
  const bare = {
    id: '0190a0b0-0000-7000-8000-000000000001',
    tenant: 'default',
    provider: 'imap',
    name: 'ada',
    state: 'live' as const,
    reason: null,
    settings: {},
    push: 'idle',
    webhook: null,
    createdAt: NOW.toISOString(),
    credentialVersion: 1,
    connect: null,
    quota: null,
    scopes: 2,
    scopesBackfilled: 2,
    failure: null,
    ...over,
  };
  return { ...bare, advice: adviceFor({ ...bare, retryAt: bare.failure?.retryAt ?? null }) };
};

const HEALTHY: StatusReport = {
  accounts: [account({})],
  quotas: [],
  folds: [{ fold: 'projector', partition: 3, position: '10', lag: 0 }],
  parked: { count: 0, recent: [] },
  incidents: [],
  pending: { hints: 0, live: 0, backfill: 0 },
};

const bad = (report: Partial<StatusReport>) =>
  diagnose({ ...HEALTHY, ...report }, NOW).filter((finding) => finding.level !== 'ok');

it('a healthy installation has nothing to mend', () => {
  expect(bad({})).toEqual([]);
});

it('refused credentials fail, and say how to give new ones', () => {
  const [finding] = bad({
    accounts: [account({ state: 'reauth_required', reason: 'the server refused the password' })],
  });
  expect(finding).toMatchObject({
    level: 'fail',
    check: 'account ada',
    message: 'the server refused the password',
  });
  expect(finding?.mend).toContain('PATCH /v1/accounts/');
});

it('a failing account says what fails, how often, and when it is tried again', () => {
  const failure = {
    failure: 'network',
    code: 'imap.host_unknown',
    message: 'no such host',
    at: NOW.toISOString(),
    attempts: 3,
    retryAt: '2026-01-01T12:01:00.000Z',
  } as const;
  const [finding] = bad({ accounts: [account({ state: 'degraded', reason: 'no such host', failure })] });
  expect(finding).toMatchObject({ level: 'warn', message: 'imap.host_unknown: no such host (3 tries)' });
  expect(finding?.mend).toContain('12:01');
});

it('a lag, parked events and a repaired log are told', () => {
  const letter = {
    id: '5',
    stream: 'SYNC',
    sequence: '1',
    subject: 'sync.requested.x',
    reason: 'bad-subject',
    detail: 'not a hint',
    parkedAt: NOW.toISOString(),
    payload: '',
    truncated: false,
  };
  const findings = bad({
    folds: [{ fold: 'projector', partition: 3, position: '10', lag: 50_000 }],
    parked: { count: 7, recent: [letter] },
    incidents: [
      {
        fold: 'projector',
        partition: 1,
        kind: 'recreated',
        detail: 'the stream is another one',
        at: NOW.toISOString(),
      },
    ],
  });
  expect(findings.map((finding) => finding.check)).toEqual(['folds', 'parked events', 'the log']);
  expect(findings[1]?.message).toContain('7');
});

it('accounts that are only polled are named with the reason', () => {
  const notified = { until: '2026-01-04T12:00:00.000Z', reason: null };
  const polled = { until: null, reason: 'MAILSTREAM_PUBLIC_URL is not set' };
  const accounts = [account({ webhook: notified }), account({ name: 'bob', webhook: polled })];
  const [finding] = bad({ accounts });
  expect(finding).toMatchObject({
    level: 'warn',
    check: 'notifications',
    message: '1 of 2 accounts are only polled, 1 in trouble; bob: MAILSTREAM_PUBLIC_URL is not set',
  });
  expect(bad({ accounts: accounts.slice(0, 1) })).toEqual([]);
});

it('a fold that does not move is told from one that is only behind', () => {
  const fold = { fold: 'projector', partition: 3, position: '10', lag: 5 };
  const at = (seconds: number) => new Date(NOW.getTime() - seconds * 1_000).toISOString();
  expect(bad({ folds: [{ ...fold, movedAt: at(30) }] })).toEqual([]);
  expect(bad({ folds: [{ ...fold, lag: 0, movedAt: at(3_600) }] })).toEqual([]);
  expect(bad({ folds: [{ ...fold, movedAt: at(61) }] })).toMatchObject([
    { level: 'fail', check: 'folds', mend: expect.stringContaining('mailbox-projector') },
  ]);
});

it.each([
  ['recreated', 'another one'],
  ['truncated', 'ends before'],
  ['expired', 'no longer has'],
  ['restored', 'other content'],
] as const)('a log that is %s is told while no fold mends it', (kind, says) => {
  const [finding] = bad({ damage: [{ fold: 'orchestrator', partition: 1, kind }] });
  expect(finding).toMatchObject({ level: 'fail', message: expect.stringContaining(says) });
  expect(finding?.mend).toContain('start the sync-orchestrator');
});

it('a cursor that its provider may soon forget is told with the command that uses it', () => {
  const cursor = { account: 'a1', name: 'ada', path: null, checkedAt: 'monday', until: 'sunday' };
  expect(bad({ ageing: [cursor] })).toMatchObject([
    { level: 'warn', check: 'cursors', mend: expect.stringContaining('mailstream sync --account a1') },
  ]);
});

it('a queue that nobody serves fails, and says whom to start', () => {
  const unserved = (queue: string, takenAt: string | null) =>
    bad({ unserved: [{ queue, waiting: 3, held: 1, takenAt }] });
  expect(unserved('imap live', '2026-01-01T11:58:00Z')).toEqual([]);
  const [jobs] = unserved('imap live', '2026-01-01T11:00:00Z');
  expect(jobs).toMatchObject({
    level: 'fail',
    check: 'queues',
    message: expect.stringContaining('3 wait in imap live'),
  });
  expect(jobs?.mend).toContain('start the provider-fetcher');
  expect(unserved('hints', null)[0]?.mend).toContain('start the sync-orchestrator');
});

it('is told that no fetcher is there before anything waits for one', () => {
  expect(bad({ isFetched: true })).toEqual([]);
  expect(bad({ isFetched: false })).toMatchObject([
    { level: 'fail', check: 'fetchers', mend: expect.stringContaining('start the provider-fetcher') },
  ]);
});

it('accounts that nobody looks at fail, whatever else is well', () => {
  const late = { count: 2, name: 'ada', checkedAt: '2026-01-01T11:00:00Z' };
  expect(bad({ late })).toMatchObject([
    { level: 'fail', check: 'late accounts', message: expect.stringMatching(/^2 were.* ada last at 2026/) },
  ]);
});

it('a NATS that stores nothing comes first', () => {
  const [first] = diagnose(HEALTHY, NOW, 'sync.probe: no answer (timeout)');
  expect(first).toMatchObject({
    level: 'fail',
    check: 'storage',
    message: expect.stringContaining('no answer'),
  });
});

it('a paused webhook says why, and the command that lets it go on', () => {
  const webhook = { id: 'e1', name: 'CRM', url: 'https://crm.example.com/', waiting: 2 };
  const [failing, asked] = bad({
    pausedWebhooks: [
      { ...webhook, reason: 'failing' },
      { ...webhook, reason: 'asked' },
    ],
  });
  expect(failing).toMatchObject({
    level: 'fail',
    check: 'webhook CRM',
    message: 'paused: nothing could be delivered for three days; it is told nothing',
    mend: expect.stringContaining('mailstream webhook resume e1'),
  });
  expect(asked?.level).toBe('warn');
});
