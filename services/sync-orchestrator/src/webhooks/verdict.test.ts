import { describe, expect, it } from 'vitest';
import { GIVE_UP_MS, judge } from './verdict.ts';

const NOW = Date.UTC(2026, 10, 21);
const refused = { status: 500, error: 'HTTP 500', retryAfterMs: null };
const first = { attempts: 1, firstAt: NOW, failingSince: null };

describe('judge', () => {
  it('takes what was accepted for delivered', () => {
    expect(judge({ status: 204, error: null, retryAfterMs: null }, first, NOW, 0)).toEqual({
      kind: 'delivered',
    });
  });

  it('tries again, later and later, for three days and no longer', () => {
    let now = NOW;
    const waits: number[] = [];
    for (let attempts = 1; ; attempts += 1) {
      const verdict = judge(refused, { attempts, firstAt: NOW, failingSince: null }, now, 0.5);
      if (verdict.kind !== 'retry') {
        expect(verdict).toEqual({ kind: 'dead' });
        break;
      }
      waits.push(verdict.inMs);
      now += verdict.inMs;
    }
    expect(waits.slice(0, 4)).toEqual([3_750, 7_500, 15_000, 30_000]);
    expect(waits).toEqual(waits.toSorted((a, b) => a - b));
    expect(waits.length).toBeLessThan(50);
    expect(now - NOW).toBeGreaterThanOrEqual(GIVE_UP_MS);
    expect(now - NOW).toBeLessThan(GIVE_UP_MS + 5 * 3_600_000);
  });

  it('waits as long as it is asked to, within reason', () => {
    const asked = (retryAfterMs: number) => judge({ ...refused, retryAfterMs }, first, NOW, 0);
    expect(asked(60_000)).toEqual({ kind: 'retry', inMs: 60_000 });
    expect(asked(1)).toEqual({ kind: 'retry', inMs: 2_500 });
    expect(asked(1e12)).toEqual({ kind: 'retry', inMs: 12 * 3_600_000 });
  });

  it('pauses an endpoint that is gone, or took nothing for three days', () => {
    expect(judge({ ...refused, status: 410 }, first, NOW, 0)).toEqual({ kind: 'pause', reason: 'gone' });
    const old = { attempts: 30, firstAt: NOW - GIVE_UP_MS };
    expect(judge(refused, { ...old, failingSince: NOW - GIVE_UP_MS }, NOW, 0)).toEqual({
      kind: 'pause',
      reason: 'failing',
    });
    expect(judge(refused, { ...old, failingSince: NOW - 1_000 }, NOW, 0)).toEqual({ kind: 'dead' });
  });
});
