import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatUidSet, parseUidSet } from './uid-set.ts';

const uids = fc
  .uniqueArray(fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 4_294_967_295 })))
  .map((set) => set.toSorted((a, b) => a - b));

function expand(runs: readonly (readonly [number, number])[]): number[] {
  return runs.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

describe('uid sets', () => {
  it('come back as the uids they were made of', () => {
    fc.assert(
      fc.property(uids, (set) => {
        expect(expand(parseUidSet(formatUidSet(set)))).toEqual(set);
      }),
    );
  });

  it('are the shortest: no two runs touch', () => {
    fc.assert(
      fc.property(uids, (set) => {
        const runs = parseUidSet(formatUidSet(set));
        for (const [i, [first]] of runs.entries())
          expect(first).toBeGreaterThan((runs[i - 1]?.[1] ?? -1) + 1);
      }),
    );
  });

  it('read like RFC 9051 says', () => {
    expect(formatUidSet([1, 2, 3, 5, 9, 10])).toBe('1:3,5,9:10');
    expect(formatUidSet([])).toBe('');
    expect(parseUidSet('7,1:2,4294967295')).toEqual([
      [7, 7],
      [1, 2],
      [4_294_967_295, 4_294_967_295],
    ]);
  });

  it.each(['0', '1:*', '3:1', '1,,2', '4294967296', '1:', 'x', ' 1', '01'])('refuse %j', (set) => {
    expect(() => parseUidSet(set)).toThrow(RangeError);
  });
});
