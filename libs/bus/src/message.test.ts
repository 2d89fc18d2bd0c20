import { describe, expect, it } from 'vitest';
import { deadLetter } from './dead-letter.ts';
import { encode, placeOf } from './message.ts';

describe('placeOf', () => {
  const place = {
    stream: 'MAIL',
    sequence: 9_007_199_254_740_993n,
    consumerSequence: 7,
    deliveries: 2,
    time: new Date('2026-01-02T03:04:05.678Z'),
  };

  it('reads the short form, without rounding', () => {
    const reply = '$JS.ACK.MAIL.reader-1.2.9007199254740993.7.1767323045678901234.0';
    expect(placeOf(reply)).toEqual(place);
  });

  it('reads the form with domain and account', () => {
    const reply = '$JS.ACK.hub.ACCHASH.MAIL.reader-1.2.9007199254740993.7.1767323045678901234.0.rnd';
    expect(placeOf(reply)).toEqual(place);
  });

  it('knows what is no delivery', () => {
    expect(placeOf('')).toBeNull();
    expect(placeOf('_INBOX.abc')).toBeNull();
    expect(placeOf(undefined)).toBeNull();
  });
});

describe('encode', () => {
  const MAX = 10_000;

  it('sends JSON, bytes as they are, and nothing for nothing', () => {
    expect(encode({ subject: 's', data: { a: 'é' } }, MAX).payload.toString()).toBe('{"a":"é"}');
    const bytes = new Uint8Array([1, 2]);
    expect(encode({ subject: 's', data: bytes }, MAX).payload).toBe(bytes);
    expect(encode({ subject: 's', data: undefined }, MAX).payload).toHaveLength(0);
  });

  it('counts headers in bytes', () => {
    const message = { subject: 's', data: 'x'.repeat(MAX - 1_000), headers: { note: 'é'.repeat(100) } };
    expect(() => encode(message, MAX)).not.toThrow();
    expect(() => encode({ ...message, headers: { note: 'é'.repeat(300) } }, MAX)).toThrow(
      /the server takes 10000/,
    );
  });

  it('refuses a header that would begin another', () => {
    expect(() => encode({ subject: 's', data: 1, headers: { a: 'b\nc: d' } }, MAX)).toThrow(TypeError);
  });
});

describe('deadLetter', () => {
  it('keeps a short payload whole', () => {
    const message = { stream: 'MAIL', subject: 's', sequence: 2n ** 60n, data: Buffer.from('oops') };
    expect(deadLetter(message, 'bad-payload', 'no JSON', new Date(0))).toEqual({
      stream: 'MAIL',
      subject: 's',
      sequence: '1152921504606846976',
      reason: 'bad-payload',
      detail: 'no JSON',
      parkedAt: '1970-01-01T00:00:00.000Z',
      payload: Buffer.from('oops').toString('base64'),
      truncated: false,
    });
  });
});
