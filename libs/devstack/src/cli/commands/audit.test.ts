import { expect, it } from 'vitest';
import { auditTable } from './audit.ts';

it('says who did what to which account, and from where', () => {
  const account = '019a0000-0000-7000-8000-000000000001';
  const entry = {
    id: '019a0000-0000-7000-8000-000000000002',
    at: '2026-11-21T12:00:00.000Z',
    actor: 'api-key:ms_1',
    action: 'account.connected' as const,
    account,
    ip: '203.0.113.7',
    requestId: null,
    detail: { provider: 'imap', uses: 3 },
  };
  const lines = auditTable(
    [entry, { ...entry, account: null, ip: null, actor: 'Ada\u001b[31m' }],
    new Map([[account, 'Ada']]),
    Number.POSITIVE_INFINITY,
  );
  expect(lines[0]).toMatch(/api-key:ms_1 +203\.0\.113\.7 +account\.connected +Ada +provider=imap uses=3$/);
  expect(lines[1]).not.toContain('\u001b');
});
