import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cleanText } from './text.ts';

/** Any UTF-16 at all, with NULs and lone surrogates more often than chance would have them. */
const anyText = fc
  .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0, 0xd83d, 0xde00)))
  .map((units) => String.fromCharCode(...units));

describe('cleanText', () => {
  it('is well-formed, without NUL, and no longer than asked', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 50 }), (text, max) => {
        const clean = cleanText(text, max);
        expect(clean.isWellFormed()).toBe(true);
        expect(clean).not.toContain('\u0000');
        expect(clean.length).toBeLessThanOrEqual(max);
      }),
    );
  });

  it('changes nothing the second time', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 0, max: 50 }), (text, max) => {
        const once = cleanText(text, max);
        expect(cleanText(once, max)).toBe(once);
      }),
    );
  });

  it('keeps good text as it is, and the beginning of good text that is too long', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 20 }), (text, max) => {
        expect(cleanText(text)).toBe(text);
        expect(text.startsWith(cleanText(text, max))).toBe(true);
      }),
    );
  });

  it('never cuts a pair in half', () => {
    expect(cleanText('ab😀', 3)).toBe('ab');
    expect(cleanText('ab😀', 4)).toBe('ab😀');
  });
});
