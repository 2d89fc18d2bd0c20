import fc from 'fast-check';
import { expect, it } from 'vitest';
import { joinSpent, type Spent, unitsByMethod } from './spending.ts';

const NOW = 1_000_000;
const entry = fc.record({
  at: fc.integer({ min: NOW - 70_000, max: NOW }),
  method: fc.constantFrom('get', 'list'),
  units: fc.integer({ min: 0, max: 100 }),
});
const entries = fc.array(entry, { maxLength: 12 });
const join = (one: readonly Spent[], other: readonly Spent[]) => joinSpent(one, other, NOW);

it('comes to the same in any order, however often it is told', () => {
  fc.assert(
    fc.property(entries, entries, entries, (a, b, c) => {
      const all = join(join(a, b), c);
      expect(join(c, join(b, a))).toEqual(all);
      expect(join(all, join(a, c))).toEqual(all);
    }),
  );
});

it('adds what was spent at different times, and not what is the same', () => {
  const here = [{ at: NOW - 5_000, method: 'get', units: 40 }];
  const there = [
    { at: NOW - 4_950, method: 'get', units: 60 },
    { at: NOW, method: 'list', units: 5 },
  ];
  expect(unitsByMethod(join(here, there), NOW)).toEqual({ get: 60, list: 5 });
  expect(unitsByMethod(join(here, [{ at: NOW - 3_000, method: 'get', units: 20 }]), NOW)).toEqual({
    get: 60,
  });
});

it('forgets what is a minute old', () => {
  const old = [{ at: NOW - 60_000, method: 'get', units: 40 }];
  expect(join(old, [])).toEqual([]);
  expect(unitsByMethod(old, NOW)).toEqual({});
});
