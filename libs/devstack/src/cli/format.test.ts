import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { age, clip, count, printable, table, widthOf } from './format.ts';

describe('printable', () => {
  it('leaves nothing that a terminal would obey', () => {
    expect(printable('a\u001b[31mred\u0007\u009b2J')).toBe('a[31mred2J');
    expect(printable('invoice\u202Efdp.exe')).toBe('invoicefdp.exe');
    expect(printable('two\r\nlines\tand a tab')).toBe('two lines and a tab');
  });

  it('keeps what people write', () => {
    for (const text of ['Grüße', '日本語', '👩‍👩‍👧', 'e\u0301', 'שלום']) expect(printable(text)).toBe(text);
  });
});

describe('clip', () => {
  it('is never wider than asked', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 1, max: 30 }), (text, width) => {
        expect(widthOf(clip(text, width))).toBeLessThanOrEqual(width);
      }),
    );
  });

  it('changes nothing that fits', () => {
    expect(clip('日本', 4)).toBe('日本');
    expect(clip('日本語', 4)).toBe('日…');
    expect(clip('abcdef', 4)).toBe('abc…');
    expect(clip('abcd', 4)).toBe('abcd');
  });
});

describe('table', () => {
  it('lines columns up and leaves no blanks at the end', () => {
    expect(
      table(
        ['NAME', 'STATE', ''],
        [
          ['日本', 'live', ''],
          ['ada at home', 'paused', 'by hand'],
        ],
      ),
    ).toEqual(['NAME         STATE', '日本         live', 'ada at home  paused  by hand']);
  });

  it('cuts lines to the width of the terminal', () => {
    expect(table(null, [['a', 'long text']], 6)).toEqual(['a  lo…']);
  });

  it('is nothing without rows and headings', () => {
    expect(table(null, [])).toEqual([]);
  });
});

describe('age', () => {
  const now = Date.parse('2026-01-10T00:00:00Z');
  it.each([
    ['2026-01-09T23:59:57Z', '3s'],
    ['2026-01-09T23:58:01Z', '119s'],
    ['2026-01-09T23:58:00Z', '2m'],
    ['2026-01-09T21:30:00Z', '2h'],
    ['2026-01-01T00:00:00Z', '9d'],
    ['2026-01-10T00:00:05Z', '0s'],
    [null, '-'],
  ])('of %s is %s', (moment, text) => {
    expect(age(moment, now)).toBe(text);
  });
});

it('counts in the singular, too', () => {
  expect([0, 1, 2].map((n) => count(n, 'event'))).toEqual(['0 events', '1 event', '2 events']);
});
