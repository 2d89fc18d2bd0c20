import { expect, it } from 'vitest';
import { UsageError } from '../errors.ts';
import { placeOf } from './replay.ts';

it.each([
  ['now', 'now'],
  ['beginning', 'beginning'],
  ['120', { sequence: 120n }],
  ['2h', { time: new Date('2026-01-10T10:00:00Z') }],
  ['2026-01-01T00:00:00Z', { time: new Date('2026-01-01T00:00:00Z') }],
])('--from %s is a place', (from, place) => {
  expect(placeOf(from, Date.parse('2026-01-10T12:00:00Z'))).toEqual(place);
});

it('says what --from may be', () => {
  expect(() => placeOf('yesterday', 0)).toThrow(UsageError);
});
