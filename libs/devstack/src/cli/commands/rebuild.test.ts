import { expect, it } from 'vitest';
import { statusLine } from './rebuild.ts';

it('says how far the rebuild is, and what it found', () => {
  const status = {
    stage: 'differs' as const,
    events: 10,
    remaining: 0,
    eventsPerSecond: 99.6,
    secondsLeft: 0,
    differences: [{ table: 'copy', kind: 'extra' as const, rows: 3 }],
    startedAt: '2026-01-01T00:00:00Z',
    updatedAt: '2026-01-01T00:01:00Z',
  };
  expect(statusLine(status)).toBe(
    'differs: 10 facts done, 0 behind, 100/s, 0 s left; copy: 3 extra (at 2026-01-01T00:01:00Z)',
  );
  expect(statusLine(null)).toBe('there was no rebuild');
});
