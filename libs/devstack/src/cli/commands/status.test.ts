import type { ScopeStatus, StatusReport } from '@mailstream/contracts';
import { expect, it } from 'vitest';
import { brokenLines, statusLines } from './status.ts';

const now = Date.parse('2026-01-10T12:00:00Z');
const id = '0190a000-0000-7000-8000-000000000001';

const scope: ScopeStatus = {
  scope: 'k1',
  path: 'INBOX',
  inFlight: false,
  backfilled: true,
  estimate: null,
  importEndsAt: null,
  cursorAt: '2026-01-10T11:00:00Z',
  checkedAt: '2026-01-10T11:59:57Z',
  failure: null,
};

const report: StatusReport = {
  accounts: [
    {
      id,
      tenant: 'default',
      provider: 'imap',
      name: 'Demo mailbox',
      state: 'backfilling',
      reason: null,
      advice: 'Nothing to do: what is there is imported.',
      settings: {},
      push: 'idle',
      webhook: null,
      createdAt: '2026-01-10T10:00:00Z',
      credentialVersion: 1,
      connect: null,
      quota: { perMinute: 6_000, units: 5_741, methods: { 'messages.get': 5_740, getProfile: 1 } },
      scopes: 2,
      scopesBackfilled: 1,
      failure: null,
    },
  ],
  quotas: [{ provider: 'google', perMinute: 1_200_000, units: 20_000 }],
  folds: [
    { fold: 'projector', partition: 0, position: '7', lag: 3 },
    { fold: 'projector', partition: 1, position: '7', lag: 12 },
    { fold: 'orchestrator', partition: 0, position: '7', lag: 0 },
  ],
  parked: {
    count: 1,
    recent: [
      {
        stream: 'MAIL',
        sequence: '7',
        subject: 'mail.00.default.a.message.changed',
        reason: 'bad-payload',
        detail: 'no JSON',
        id: '1',
        parkedAt: '2026-01-10T11:59:00Z',
        payload: '',
        truncated: false,
      },
    ],
  },
  incidents: [],
  pending: { hints: 0, live: 1, backfill: 2 },
};

it('shows accounts with their mailboxes, then what waits, lags, is parked or was repaired', () => {
  const scopes = {
    [id]: [
      scope,
      {
        ...scope,
        path: 'Archive',
        inFlight: true,
        backfilled: false,
        estimate: 900,
        importEndsAt: '2026-01-10T12:03:08Z',
        cursorAt: null,
      },
    ],
  };
  expect(statusLines(report, scopes, now)).toEqual([
    'Demo mailbox  backfilling',
    '  Nothing to do: what is there is imported.',
    '  changes are noticed by IDLE',
    '  5741 of 6000 quota units spent in the last minute: messages.get 5740, getProfile 1',
    '  MAILBOX  STATE     IMPORT                     CHANGED  CHECKED',
    '  INBOX    live                                 60m      3s',
    '  Archive  fetching  about 900 to import in 3m  -        3s',
    '',
    'waiting  0 hints, 1 live fetch, 2 backfill fetches',
    'quota    google 20000 of 1200000 units spent in the last minute',
    'lag      projector 12, orchestrator 0',
    'parked   1 event',
    '         60s ago: bad-payload: no JSON (mail.00.default.a.message.changed)',
    'repairs  none',
  ]);
});

it('ends with what doctor calls broken, and what mends it', () => {
  const broken = { level: 'fail' as const, check: 'folds', message: 'stands', mend: 'restart it' };
  const findings = [
    { ...broken, level: 'ok' as const },
    broken,
    { ...broken, check: 'account Demo mailbox' },
  ];
  expect(brokenLines(findings)).toEqual(['', 'FAIL  folds: stands', '      → restart it']);
  expect(brokenLines(findings.slice(0, 1))).toEqual([]);
});

it('says so when there is nothing yet', () => {
  const lines = statusLines({ ...report, accounts: [], folds: [] }, {}, now);
  expect(lines[0]).toBe('no accounts yet');
  expect(lines).toContain('lag      no fold runs');
});
