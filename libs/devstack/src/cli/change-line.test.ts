import { type ChangeEvent, envelope, type MailboxView, type MessageView } from '@mailstream/contracts';
import { describe, expect, it } from 'vitest';
import { changeLine, isAside } from './change-line.ts';
import { clockTime } from './format.ts';

const time = '2026-01-10T12:00:00.000Z';
const common = { id: '1', source: '/test', time, tenant: 'default', account: 'a' };
const change = { version: '7', origin: 'live', changed: [] } as const;

const message: MessageView = {
  id: '0190a000-0000-7000-8000-000000000001',
  account: 'a',
  version: '7',
  thread: '0190a000-0000-7000-8000-000000000002',
  subject: 'Lunch?\u001b[2J',
  from: [],
  sender: [],
  replyTo: [],
  to: [],
  cc: [],
  bcc: [],
  recipientsOmitted: 0,
  sentAt: null,
  receivedAt: time,
  size: 1,
  messageId: null,
  snippet: null,
  attachments: [],
  flags: ['flagged'],
  unread: true,
  copies: [{ mailbox: 'k2', path: 'Archive/2026', role: null, generation: '1', id: '0000000007', flags: [] }],
};

const mailbox: MailboxView = {
  id: 'k2',
  account: 'a',
  version: '7',
  path: 'Archive/2026',
  name: '2026',
  parent: null,
  role: null,
  selectable: true,
  messages: 3,
  unread: 1,
  reported: null,
};

const event = {
  created: {
    ...envelope({ ...common, type: '', data: { ...change, state: message } }),
    type: 'mailstream.message.created.v1',
  },
  moved: {
    ...envelope({ ...common, type: '', data: { ...change, from: ['k1', 'gone'], state: message } }),
    type: 'mailstream.message.moved.v1',
  },
  updated: {
    ...envelope({
      ...common,
      type: '',
      data: { ...change, changed: ['flags'], state: { ...message, flags: ['seen'] } },
    }),
    type: 'mailstream.message.updated.v1',
  },
  counted: {
    ...envelope({ ...common, type: '', data: { ...change, changed: ['unread'], state: mailbox } }),
    type: 'mailstream.mailbox.updated.v1',
  },
  renamed: {
    ...envelope({ ...common, type: '', data: { ...change, changed: ['path', 'name'], state: mailbox } }),
    type: 'mailstream.mailbox.updated.v1',
  },
} as const satisfies Record<string, ChangeEvent>;

const paths = new Map([['k1', 'INBOX']]);
const at = clockTime(time);

describe('changeLine', () => {
  it('says time, verb, mailbox, subject and flags', () => {
    expect(changeLine(event.created, paths)).toBe(
      `${at}  created   Archive/2026  Lunch?[2J  [unread flagged]`,
    );
  });

  it('says where a message came from; a mailbox nobody knows any more by its key', () => {
    expect(changeLine(event.moved, paths)).toBe(
      `${at}  moved     INBOX, gone → Archive/2026  Lunch?[2J  [unread flagged]`,
    );
  });

  it('says what changed', () => {
    expect(changeLine(event.updated, paths)).toBe(`${at}  updated   Archive/2026  Lunch?[2J  (flags)`);
  });
});

describe('isAside', () => {
  it('is what only follows from other changes', () => {
    expect(isAside(event.counted)).toBe(true);
    expect(isAside(event.renamed)).toBe(false);
    expect(isAside(event.created)).toBe(false);
  });
});
