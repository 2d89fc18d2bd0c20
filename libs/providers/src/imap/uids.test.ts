import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  chunkUids,
  countUids,
  eachUid,
  formatUids,
  highestUid,
  lowestUid,
  parseUids,
  splitNewest,
  uidRange,
  uidsOf,
  uidsWithin,
} from './uids.ts';

const lists = fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 40 });
const sorted = (list: readonly number[]) => [...new Set(list)].sort((a, b) => a - b);

describe('sets of uids', () => {
  it('hold what was put in, in order and once', () => {
    fc.assert(
      fc.property(lists, (list) => {
        const uids = uidsOf(list);
        expect([...eachUid(uids)]).toEqual(sorted(list));
        expect(countUids(uids)).toBe(new Set(list).size);
        expect(parseUids(formatUids(uids))).toEqual(uids);
        expect(lowestUid(uids)).toBe(sorted(list)[0] ?? null);
        expect(highestUid(uids)).toBe(sorted(list).at(-1) ?? null);
      }),
    );
  });

  it('are cut by range, by number and in chunks without losing or doubling any', () => {
    fc.assert(
      fc.property(lists, fc.nat(70), fc.nat(70), fc.integer({ min: 1, max: 50 }), (list, from, to, size) => {
        const [uids, all] = [uidsOf(list), sorted(list)];
        expect([...eachUid(uidsWithin(uids, from, to))]).toEqual(
          all.filter((uid) => uid >= from && uid < to),
        );
        const { newest, rest } = splitNewest(uids, size);
        expect([...eachUid(newest)]).toEqual(all.slice(-size));
        expect([...eachUid(rest)]).toEqual(all.slice(0, -size));
        const chunks = chunkUids(uids, size);
        expect(chunks.flatMap((chunk) => [...eachUid(chunk)])).toEqual(all);
        for (const chunk of chunks) expect(countUids(chunk)).toBeLessThanOrEqual(size);
      }),
    );
  });

  it('are read from servers that sort and merge nothing', () => {
    expect(parseUids('9,3:1,4,2:3')).toEqual([
      [1, 4],
      [9, 9],
    ]);
    expect(parseUids('')).toEqual([]);
    for (const bad of ['0', '1:*', 'a', '1,,2', '-1', '4294967296', '1e3'])
      expect(() => parseUids(bad)).toThrow(RangeError);
  });

  it('stay small for a mailbox without gaps', () => {
    expect(uidRange(1, 4_000_000)).toEqual([[1, 3_999_999]]);
    expect(uidRange(5, 5)).toEqual([]);
  });
});
