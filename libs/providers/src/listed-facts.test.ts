import fc from 'fast-check';
import { expect, it } from 'vitest';
import { listedFacts } from './listed-facts.ts';

const idOf = fc.stringMatching(/^[A-Za-z0-9_=-]{1,4}$/);

it('judges every id that is not there, and claims of none that is unsettled that it must be known', () => {
  fc.assert(
    fc.property(fc.uniqueArray(idOf), fc.array(idOf), fc.array(fc.boolean()), (names, others, coins) => {
      const ids = names.toSorted();
      const unsettled = new Set(ids.filter((_, at) => coins[at]));
      const facts = listedFacts('m', ids, unsettled);
      const windowOf = (id: string) => facts.find(({ from, to }) => id >= from && (to === null || id < to));
      for (const id of ids) expect(windowOf(id)?.ids.includes(id)).toBe(unsettled.has(id) ? undefined : true);
      for (const id of others) if (!ids.includes(id)) expect(windowOf(id)?.ids.includes(id)).toBe(false);
    }),
  );
});

it('keeps facts small', () => {
  const ids = Array.from({ length: 2_500 }, (_, at) => String(at).padStart(5, '0'));
  const facts = listedFacts('m', ids, new Set());
  expect(facts.map(({ from, to, ids: named }) => [from, to, named.length])).toEqual([
    ['', '01000', 1_000],
    ['01000', '02000', 1_000],
    ['02000', null, 500],
  ]);
});
