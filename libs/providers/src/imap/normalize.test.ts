import { MAX_RECIPIENTS, MessageUpsert } from '@mailstream/contracts';
import fc from 'fast-check';
import Value from 'typebox/value';
import { describe, expect, it } from 'vitest';
import { type FetchedMessage, normalFlags, upsertOf } from './normalize.ts';

const contentOf = (message: Partial<FetchedMessage>) =>
  upsertOf('box', '7', { uid: 1, ...message }, 'live').content;

describe('a message', () => {
  it('is known by its copy, or by what survives moves', () => {
    expect(upsertOf('box', '7', { uid: 3 }, 'live')).toMatchObject({
      key: 'box.7.3',
      keyKind: 'copy',
      copy: { mailbox: 'box', generation: '7', id: '0000000003' },
    });
    expect(upsertOf('box', '7', { uid: 3, emailId: 'M1' }, 'live')).toMatchObject({
      key: 'M1',
      keyKind: 'message',
    });
  });

  it('is complete with nothing but a uid', () => {
    expect(contentOf({})).toMatchObject({
      subject: null,
      from: [],
      receivedAt: '1970-01-01T00:00:00.000Z',
      size: null,
      attachments: [],
    });
  });

  it.each([
    ['2026-11-17T10:00:00Z', '2026-11-17T10:00:00.000Z'],
    ['1969-12-31T00:00:00Z', null],
    ['2101-01-01T00:00:00Z', null],
    ['+275760-09-13T00:00:00.000Z', null],
    ['nonsense', null],
  ])('sent at %s', (date, sentAt) => {
    expect(contentOf({ envelope: { date: new Date(date) } }).sentAt).toBe(sentAt);
    expect(contentOf({ envelope: { date } }).sentAt).toBeNull();
  });

  it('is received when the server says so, else when it was sent', () => {
    const envelope = { date: new Date('2020-01-01T00:00:00Z') };
    expect(contentOf({ envelope, internalDate: new Date('2021-01-01T00:00:00Z') }).receivedAt).toBe(
      '2021-01-01T00:00:00.000Z',
    );
    expect(contentOf({ envelope, internalDate: new Date('9999-01-01T00:00:00Z') }).receivedAt).toBe(
      '2020-01-01T00:00:00.000Z',
    );
  });

  it('names at most so many recipients, and says how many it left out', () => {
    const many = Array.from({ length: 10_000 }, (_, at) => ({ name: '', address: `r${at}@example.com` }));
    const { to, cc, recipientsOmitted } = contentOf({ envelope: { to: many, cc: many } });
    expect([to.length, cc.length]).toEqual([MAX_RECIPIENTS, MAX_RECIPIENTS]);
    expect(recipientsOmitted).toBe(20_000 - 2 * MAX_RECIPIENTS);
    expect(to[0]).toEqual({ name: null, address: 'r0@example.com' });
  });

  it('has the ids of its thread without brackets, folded or not', () => {
    const headers = Buffer.from(
      'References: <a@example.com>\r\n\t<b@example.com>\r\n <c @example.com>\r\n\r\n',
    );
    const envelope = { messageId: '<m@example.com>', inReplyTo: '<x@example.com> <y@example.com>' };
    expect(contentOf({ headers, envelope })).toMatchObject({
      messageId: 'm@example.com',
      inReplyTo: 'x@example.com',
      references: ['a@example.com', 'b@example.com', 'c@example.com'],
    });
    expect(contentOf({ envelope: { messageId: 'no-brackets@example.com' } }).messageId).toBe(
      'no-brackets@example.com',
    );
  });

  it('keeps the root and the latest of endless references', () => {
    const headers = Buffer.from(
      `References: ${Array.from({ length: 500 }, (_, at) => `<${at}@example.com>`).join(' ')}\r\n\r\n`,
    );
    const { references } = contentOf({ headers });
    expect(references).toHaveLength(200);
    expect([references[0], references[1], references.at(-1)]).toEqual([
      '0@example.com',
      '301@example.com',
      '499@example.com',
    ]);
  });

  it('has attachments: what is named, marked, or neither text nor a container', () => {
    const { attachments } = contentOf({
      bodyStructure: {
        type: 'multipart/mixed',
        childNodes: [
          {
            type: 'multipart/related',
            part: '1',
            childNodes: [
              { type: 'text/html', part: '1.1' },
              { type: 'image/png', part: '1.2', id: '<logo@example.com>', size: 9 },
            ],
          },
          {
            type: 'text/plain',
            part: '2',
            disposition: 'attachment',
            dispositionParameters: { filename: 'a.txt' },
          },
          { type: 'message/rfc822', part: '3', childNodes: [{ type: 'image/gif', part: '3.1' }] },
          { type: 'text/plain', part: '4' },
        ],
      },
    });
    expect(attachments).toEqual([
      {
        part: '1.2',
        filename: null,
        contentType: 'image/png',
        size: 9,
        inline: true,
        contentId: 'logo@example.com',
      },
      { part: '2', filename: 'a.txt', contentType: 'text/plain', size: null, inline: false, contentId: null },
      {
        part: '3',
        filename: null,
        contentType: 'message/rfc822',
        size: null,
        inline: false,
        contentId: null,
      },
    ]);
    expect(contentOf({ bodyStructure: { type: 'text/plain' } }).attachments).toEqual([]);
    expect(contentOf({ bodyStructure: { type: 'application/pdf', size: 3 } }).attachments).toMatchObject([
      { part: '1' },
    ]);
  });

  it('becomes a valid fact whatever was in it', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constant('\u0000\ud800x'),
      fc.constant('é'.repeat(3_000)),
    );
    const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
    const addresses = maybe(
      fc.array(fc.record({ name: maybe(text), address: maybe(text) }), { maxLength: 3 }),
    );
    const date = maybe(fc.oneof(fc.date({ noInvalidDate: false }), text));
    const part = fc.record({
      type: text,
      part: fc.constantFrom('1', '2.1'),
      id: maybe(text),
      disposition: maybe(text),
      size: maybe(fc.nat()),
    });
    const message: fc.Arbitrary<FetchedMessage> = fc.record({
      uid: fc.integer({ min: 1, max: 4_294_967_295 }),
      flags: maybe(fc.uniqueArray(text).map((flags) => new Set(flags))),
      envelope: maybe(
        fc.record({
          date,
          subject: maybe(text),
          messageId: maybe(text),
          inReplyTo: maybe(text),
          from: addresses,
          to: addresses,
        }),
      ),
      bodyStructure: maybe(fc.record({ type: fc.constant('multipart/mixed'), childNodes: fc.array(part) })),
      internalDate: date,
      size: maybe(fc.nat()),
      emailId: maybe(text),
      threadId: maybe(text),
      headers: maybe(fc.uint8Array()),
    });
    fc.assert(
      fc.property(message, (fetched) => {
        const fact = upsertOf('box', '7', fetched, 'backfill');
        expect(Value.Errors(MessageUpsert, fact)).toEqual([]);
        const json = JSON.stringify(fact);
        expect(JSON.parse(json)).toEqual(fact);
        expect(json).not.toMatch(/\\u0000|\\ud[89a-f]/);
        expect(fact.content.subject?.length ?? 0).toBeLessThanOrEqual(2_000);
      }),
    );
  });
});

describe('flags', () => {
  it('have one spelling, whatever the server and the client wrote', () => {
    expect(
      normalFlags(['\\Seen', '\\FLAGGED', '$Forwarded', 'NonJunk', '\\Recent', 'Work', '\\Seen']),
    ).toEqual(['Work', 'flagged', 'forwarded', 'notjunk', 'seen']);
  });

  it('that are keywords never pass for the flags they look like', () => {
    expect(normalFlags(['seen', 'DELETED'])).toEqual([]);
  });
});
