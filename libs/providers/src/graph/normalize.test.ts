import { MessageChanged } from '@mailstream/contracts';
import fc from 'fast-check';
import Value from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { mailboxKey, patchOf, upsertOf } from './normalize.ts';

const person = (name: string) => ({ emailAddress: { name, address: `${name.toLowerCase()}@example.com` } });

const MESSAGE = {
  '@odata.etag': 'W/"CQAA"',
  id: 'AAk=',
  receivedDateTime: '2026-01-05T09:00:00Z',
  sentDateTime: '2026-01-05T08:59:58Z',
  internetMessageId: '<1@example.com>',
  conversationId: 'AAQ=',
  subject: 'Übergabe',
  bodyPreview: 'Hello',
  from: person('Ada'),
  sender: person('Bo'),
  toRecipients: [person('Cy'), person('Di')],
  isRead: true,
  isDraft: false,
  flag: { flagStatus: 'flagged' },
  categories: ['Blue category', 'Work'],
};

describe('a message', () => {
  it('becomes a fact', () => {
    expect(upsertOf('key', 'AAk=', MESSAGE, 'live')).toEqual({
      op: 'upsert',
      key: 'AAk=',
      keyKind: 'message',
      copy: { mailbox: 'key', generation: '1', id: 'AAk=' },
      origin: 'live',
      flags: ['Blue category', 'Work', 'flagged', 'seen'],
      content: {
        subject: 'Übergabe',
        from: [{ name: 'Ada', address: 'ada@example.com' }],
        sender: [{ name: 'Bo', address: 'bo@example.com' }],
        replyTo: [],
        to: [
          { name: 'Cy', address: 'cy@example.com' },
          { name: 'Di', address: 'di@example.com' },
        ],
        cc: [],
        bcc: [],
        recipientsOmitted: 0,
        sentAt: '2026-01-05T08:59:58.000Z',
        receivedAt: '2026-01-05T09:00:00.000Z',
        size: null,
        messageId: '1@example.com',
        inReplyTo: null,
        references: [],
        providerThread: 'AAQ=',
        snippet: 'Hello',
        attachments: [],
      },
    });
  });

  const of = (changes: object) => upsertOf('key', 'AAk=', { ...MESSAGE, ...changes }, 'live');

  it('is flagged only while it is to be done', () => {
    expect(
      of({ flag: { flagStatus: 'complete' }, isRead: false, isDraft: true, categories: [] }).flags,
    ).toEqual(['draft']);
  });

  it('has no category that reads like a state of it', () => {
    expect(of({ flag: {}, isRead: false, categories: ['Seen', 'DRAFT', 'Seen by Bo'] }).flags).toEqual([
      'Seen by Bo',
    ]);
  });

  it('may be a draft that has next to nothing yet', () => {
    const { content } = upsertOf('key', 'AAk=', { createdDateTime: '2026-01-05T09:00:00Z' }, 'live');
    expect(content).toMatchObject({ subject: null, from: [], messageId: null, snippet: null });
    expect(content.receivedAt).toBe('2026-01-05T09:00:00.000Z');
  });

  it.each(['0001-01-01T00:00:00Z', '9999-12-31T23:59:59Z', 'yesterday', 7])('has no date %s', (date) => {
    const { content } = of({ receivedDateTime: date, sentDateTime: date, createdDateTime: date });
    expect(content).toMatchObject({ sentAt: null, receivedAt: '1970-01-01T00:00:00.000Z' });
  });

  it('is made fit to be stored', () => {
    const { content } = of({
      subject: `a\u0000b\ud800${'x'.repeat(5_000)}`,
      bodyPreview: 'y'.repeat(1_000),
      toRecipients: Array.from({ length: 700 }, () => person('Cy')),
      ccRecipients: ['Bo', null, { emailAddress: 'x' }],
    });
    expect(content.subject).toMatch(/^ab\ufffdx+$/);
    expect(content.subject?.length).toBe(2_000);
    expect(content.snippet?.length).toBe(255);
    expect(content.to).toHaveLength(500);
    expect(content.recipientsOmitted).toBe(200);
    expect(content.cc).toEqual(Array(3).fill({ name: null, address: null }));
  });

  it('is a valid fact whatever is in it', () => {
    const anything = fc.dictionary(fc.constantFrom(...Object.keys(MESSAGE)), fc.anything());
    fc.assert(
      fc.property(anything, (message) => {
        expect(Value.Check(MessageChanged, upsertOf('key', 'AAk=', message, 'backfill'))).toBe(true);
      }),
    );
  });
});

describe('a partial entry', () => {
  const partial = { '@odata.type': '#microsoft.graph.message', id: 'AAk=', parentFolderId: 'F' };

  it('adds or clears one flag', () => {
    const copy = { mailbox: 'key', generation: '1', id: 'AAk=' };
    expect(patchOf('key', 'AAk=', { ...partial, isRead: true }, 'live')).toEqual({
      op: 'patch',
      copy,
      origin: 'live',
      added: ['seen'],
    });
    expect(patchOf('key', 'AAk=', { ...partial, isRead: false }, 'live')).toMatchObject({
      cleared: ['seen'],
    });
  });

  it.each([{}, { isRead: 'yes' }, { isRead: true, flag: {} }, { subject: 'x' }])(
    'is not understood: %j',
    (more) => {
      expect(patchOf('key', 'AAk=', { ...partial, ...more }, 'live')).toBeNull();
    },
  );
});

it('folder ids that differ in case only are different mailboxes', () => {
  expect(mailboxKey('AAMkAq=')).toMatch(/^[a-z2-7]{20}$/);
  expect(mailboxKey('AAMkAq=')).not.toBe(mailboxKey('AAMkAQ='));
});
