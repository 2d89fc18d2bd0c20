/** The bounds of a command: what it may receive and how long it may take, whatever drips in meanwhile. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { watchBounds } from './bounds.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
afterEach(() => void vi.useRealTimers());

describe('a command', () => {
  it('that is dripped to for ever ends in time', () => {
    let received = 1_000;
    const exceeded = vi.fn();
    watchBounds({ bytes: 10_000, ms: 60_000 }, () => received, exceeded);
    for (let second = 0; second < 60; second++) {
      received += 1;
      vi.advanceTimersByTime(1_000);
    }
    expect(exceeded).not.toHaveBeenCalled();
    vi.advanceTimersByTime(60_000);
    expect(exceeded.mock.calls).toEqual([[{ code: 'ETIMEDOUT' }]]);
  });

  it('that is flooded ends when it has its bytes, counted from its beginning', () => {
    let received = 1_000;
    const exceeded = vi.fn();
    watchBounds({ bytes: 100, ms: 60_000 }, () => received, exceeded);
    received = 1_100;
    vi.advanceTimersByTime(1_000);
    expect(exceeded).not.toHaveBeenCalled();
    received = 1_101;
    vi.advanceTimersByTime(10_000);
    expect(exceeded.mock.calls).toEqual([[{ code: 'ResponseTooLarge' }]]);
  });

  it('that has ended is watched no more', () => {
    const exceeded = vi.fn();
    watchBounds({ bytes: 0, ms: 1 }, () => 0, exceeded)();
    vi.advanceTimersByTime(10_000);
    expect(exceeded).not.toHaveBeenCalled();
  });
});
