import type { MessageView } from '@mailstream/contracts';
import { describe, expect, it } from 'vitest';
import { dateTime } from '../format.ts';
import { flagsOf, messageTable } from './messages.ts';

const message: MessageView = {
  id: '0190a000-0000-7000-8000-000000000001',
  account: 'a',
  version: '7',
  thread: '0190a000-0000-7000-8000-000000000002',
  subject: 'Lunch?',
  from: [{ name: 'Ada', address: 'ada@example.com' }],
  sender: [],
  replyTo: [],
  to: [],
  cc: [],
  bcc: [],
  recipientsOmitted: 0,
  sentAt: null,
  receivedAt: '2026-01-10T12:00:00Z',
  size: 1,
  messageId: null,
  snippet: null,
  attachments: [],
  flags: ['seen'],
  unread: false,
  copies: [
    { mailbox: 'k1', path: 'INBOX', role: 'inbox', generation: '1', id: '0000000007', flags: [] },
    { mailbox: 'k2', path: 'Archive', role: null, generation: '1', id: '0000000009', flags: [] },
  ],
};

describe('messageTable', () => {
  it('has when, from whom, where, flags, and what', () => {
    const hostile = {
      ...message,
      from: [{ name: null, address: null }],
      subject: null,
      flags: [],
      copies: [],
    };
    expect(messageTable([message, hostile], Number.POSITIVE_INFINITY)).toEqual([
      `${dateTime(message.receivedAt)}  Ada       INBOX, Archive          Lunch?`,
      `${dateTime(message.receivedAt)}  (nobody)  -               unread  (no subject)`,
    ]);
  });
});

describe('flagsOf', () => {
  it.each([
    [[], 'unread'],
    [['seen'], ''],
    [['flagged', 'seen'], 'flagged'],
    [['answered', '$Label1'], 'unread answered $Label1'],
  ])('%j is "%s"', (flags, text) => {
    expect(flagsOf(flags)).toBe(text);
  });
});
