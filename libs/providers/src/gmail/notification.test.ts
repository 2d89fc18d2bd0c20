// What Pub/Sub wraps: Gmail's notifications in every spelling, and what is none.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readMessage } from './notification.ts';

const ADA = { subscription: 'ada@example.com', secret: null, about: 'announced' };
const message = (text: string, alphabet: 'base64' | 'base64url' = 'base64') => ({
  data: Buffer.from(text).toString(alphabet),
  messageId: '1',
});

describe('a notification', () => {
  it.each([
    ['with a number', '{"emailAddress":"ada@example.com","historyId":9876543210}'],
    [
      'with a number that is too big to be exact',
      '{"emailAddress":"ada@example.com","historyId":1152921504606846977}',
    ],
    ['with text', '{"emailAddress":"ada@example.com","historyId":"9876543210"}'],
    ['with capitals', '{"emailAddress":"Ada@Example.com","historyId":1}'],
  ])('%s is understood', (_what, text) => {
    expect(readMessage(message(text))).toEqual(ADA);
  });

  it('may come in either alphabet of base64', () => {
    const text = '{"emailAddress":"ada@example.com","historyId":1,"x":"???>>>~~~"}';
    expect(Buffer.from(text).toString('base64')).not.toBe(Buffer.from(text).toString('base64url'));
    expect([readMessage(message(text)), readMessage(message(text, 'base64url'))]).toEqual([ADA, ADA]);
  });
});

describe('what Gmail does not send', () => {
  it.each([
    ['no history id', '{"emailAddress":"ada@example.com"}'],
    ['a history id that is none', '{"emailAddress":"ada@example.com","historyId":"x"}'],
    ['a history id beyond all numbers', '{"emailAddress":"ada@example.com","historyId":1e999}'],
    ['no address', '{"historyId":1}'],
    ['an address that is none', '{"emailAddress":{},"historyId":1}'],
    ['no JSON', 'hello'],
    ['nothing', ''],
    ['null', 'null'],
  ])('%s makes no sense', (_what, text) => {
    expect(readMessage(message(text))).toBeNull();
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.anything(), fc.json(), (anything, json) => {
        readMessage(anything);
        readMessage({ data: anything });
        readMessage(message(json));
      }),
    );
  });
});
