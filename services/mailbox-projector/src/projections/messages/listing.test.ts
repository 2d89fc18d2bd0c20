import { type ListedUids, uidToId } from '@mailstream/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { listingOf } from './listing.ts';

function listing(present: ListedUids['present'], from = 1, to = 1000) {
  return listingOf({ mailbox: 'A', generation: '1', from, to, present, sweep: false, origin: 'reconcile' });
}

describe('a list of uids', () => {
  it('knows each of them, with its flags, and no other', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 60 })), (uids) => {
        const even = uids.filter((uid) => uid % 2 === 0).join(',');
        const odd = uids.filter((uid) => uid % 2 === 1).join(',');
        const list = listing([
          { uids: even, flags: ['seen', 'answered'] },
          { uids: odd, flags: null },
        ]);
        for (let uid = 1; uid <= 61; uid += 1) {
          const flags = uid % 2 === 0 ? ['answered', 'seen'] : null;
          expect(list.find(uidToId(uid))?.flags).toEqual(uids.includes(uid) ? flags : undefined);
        }
        expect(list.size).toBe(uids.length);
      }),
    );
  });

  it('counts within its window only', () => {
    expect(listing([{ uids: '1:100,150', flags: null }], 10, 20).size).toBe(10);
  });

  it.each([['1:x'], ['5:1'], ['0'], ['1:4,4:5'], ['7,7']])('refuses %s', (uids) => {
    expect(() => listing([{ uids, flags: null }])).toThrow(expect.objectContaining({ errorClass: 'parse' }));
  });
});
