import { expect, it } from 'vitest';
import { progressLine, resultLines } from './report.ts';

it('says how far it is and how long it will take', () => {
  const progress = {
    stage: 'folding' as const,
    events: 400,
    remaining: 5_000,
    rate: 1_234.5,
    differences: [],
  };
  expect(progressLine(progress)).toBe('folding: 400 facts done, 5000 behind, 1235/s, 5 s left');
  expect(progressLine({ ...progress, rate: null })).toBe('folding: 400 facts done, 5000 behind');
});

it('says what differs, and what can be done about it', () => {
  const differences = [{ table: 'message', kind: 'missing' as const, rows: 12, first: ['a', 'b'] }];
  const left = resultLines({ swapped: false, differences, events: 7 }, 1.25);
  expect(left[1]).toBe('  message: 12 that the log has and the live table has not: a b …');
  expect(left.join('\n')).toContain('rebuild view --accept-differences');
  expect(resultLines({ swapped: true, differences, events: 7 }, 1.25).at(-1)).toContain(
    'Nothing was told on CHANGES',
  );
  expect(resultLines({ swapped: true, differences: [], events: 7 }, 1.25)).toEqual([
    '7 facts in 1.3 s: the live tables were as the log says, and are the new ones now',
  ]);
});
