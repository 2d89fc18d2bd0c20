import { envelope } from '@mailstream/contracts';
import { expect, it } from 'vitest';
import { createCoverage } from './coverage.ts';

const DRAFT = { id: 'e', source: '/test', time: '2026-01-01T00:00:00Z', tenant: 't', account: 'a', type: '' };

function message(id: string, version: number) {
  const state = {
    ...{
      id,
      account: 'a',
      version: String(version),
      thread: '',
      subject: null,
      receivedAt: '',
      sentAt: null,
    },
    ...{ from: [], sender: [], replyTo: [], to: [], cc: [], bcc: [], recipientsOmitted: 0, attachments: [] },
    ...{ size: null, messageId: null, snippet: null, flags: [], unread: true, copies: [] },
  };
  const data = { version: String(version), origin: null, changed: [], state };
  return { ...envelope({ ...DRAFT, data }), type: 'mailstream.message.updated.v1' as const };
}

function mailbox(version: number) {
  const state = {
    ...{ id: 'm', account: 'a', version: String(version), path: 'm', name: 'm', parent: null, role: null },
    ...{ selectable: true, messages: 0, unread: 0, reported: null },
  };
  const data = { version: String(version), origin: null, changed: [], state };
  return { ...envelope({ ...DRAFT, data }), type: 'mailstream.mailbox.updated.v1' as const };
}

const coverage = createCoverage([
  { account: 'a', version: 10n, through: '5' },
  { account: 'a', version: 20n, through: null },
]);

it('holds a message as of the page its id lies on', () => {
  expect(['1', '5'].map((id) => coverage.has(message(id, 10)))).toEqual([true, true]);
  expect(['1', '5'].map((id) => coverage.has(message(id, 11)))).toEqual([false, false]);
  expect(['6', '9'].map((id) => coverage.has(message(id, 20)))).toEqual([true, true]);
  expect(coverage.has(message('6', 21))).toBe(false);
});

it('holds mailboxes as of the first page', () => {
  expect([coverage.has(mailbox(10)), coverage.has(mailbox(11))]).toEqual([true, false]);
});

it('holds nothing of other accounts, and nothing that a snapshot does not show', () => {
  expect(coverage.has({ ...message('1', 1), account: 'b' })).toBe(false);
  const data = { ...message('1', 1).data, state: { sequence: '1', subject: '', reason: '' } };
  const skipped = envelope({ ...DRAFT, data });
  expect(coverage.has({ ...skipped, type: 'mailstream.message.skipped.v1' })).toBe(false);
});
