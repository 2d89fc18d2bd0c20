import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fnv1a32, hashToken, isToken, PARTITIONS, partitionOf, uuidv7 } from './ids.ts';

describe('uuidv7', () => {
  it('has version 7 and the RFC 9562 variant', () => {
    const shape = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
    for (let i = 0; i < 2_000; i += 1) expect(uuidv7()).toMatch(shape);
  });

  it('begins with the Unix milliseconds it was made at', () => {
    const future = Date.UTC(2100, 0, 1);
    expect(Number.parseInt(uuidv7(future).replaceAll('-', '').slice(0, 12), 16)).toBe(future);
  });

  it('sorts as made, also within one millisecond and when the clock is set back', () => {
    const start = Date.UTC(2101, 0, 1);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 5_000 }), (offsets) => {
        const made = offsets.map((offset) => uuidv7(start + offset));
        expect(made).toEqual(made.toSorted());
        expect(new Set(made).size).toBe(made.length);
      }),
      { numRuns: 20 },
    );
  });
});

describe('hashToken', () => {
  it('is the first 100 bits of SHA-256 in lower-case RFC 4648 base32', () => {
    expect(hashToken('INBOX')).toBe('qpwlkin7gihwo4uh5c4s');
    expect(hashToken('Archive', '2026')).toBe('p736otj7ihvmqmzne5t4');
    expect(hashToken('Entwürfe')).toBe('vnpoqcmturfmqtvteos6');
  });

  it('is a subject token, whatever it was made of', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' })), (parts) => {
        expect(isToken(hashToken(...parts))).toBe(true);
      }),
    );
  });
});

describe('partitionOf', () => {
  // Made by nats-server 2.15.1 with the mapping {"in.*": "out.{{partition(16,1)}}.{{wildcard(1)}}"}.
  it.each([
    ['a', '12'],
    ['default', '14'],
    ['0190a000-0000-7000-8000-000000000000', '09'],
    ['0190a000-0000-7000-8000-000000000001', '06'],
    ['018f4e6e-7b3a-7c1d-9a55-3f0c2b1d4e5f', '15'],
    ['Straße', '08'],
    ['x'.repeat(64), '05'],
  ])('of %s is what nats-server says: %s', (account, partition) => {
    expect(partitionOf(account)).toBe(partition);
  });

  it('uses FNV-1a with the published vectors', () => {
    // http://www.isthe.com/chongo/tech/comp/fnv/ (test vectors of the reference implementation)
    expect(fnv1a32('')).toBe(0x811c9dc5);
    expect(fnv1a32('a')).toBe(0xe40c292c);
    expect(fnv1a32('foobar')).toBe(0xbf9cf968);
  });

  it('spreads accounts over all partitions', () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 1_600; i += 1) {
      const partition = partitionOf(uuidv7());
      counts.set(partition, (counts.get(partition) ?? 0) + 1);
    }
    expect(counts.size).toBe(PARTITIONS);
    expect(Math.max(...counts.values())).toBeLessThan(200);
  });
});

describe('isToken', () => {
  it.each(['', 'a.b', 'a b', '*', '>', 'ä', 'x'.repeat(65), 'a\n'])('refuses %j', (text) => {
    expect(isToken(text)).toBe(false);
  });
});
