import { describe, expect, it } from 'vitest';
import { epochOf, isSameLog, liftOf, logDamage, nextEpoch } from './epoch.ts';

const log = { created: '2026-11-21T12:00:00Z', first: 1n, last: 100n };
const at = { position: 40n, epoch: epochOf(log, 0), fingerprint: 'e40', quietUntil: 0n };

describe('the log', () => {
  it.each([
    ['is whole', at, log, 'e40', null],
    [
      'was just begun',
      { ...at, position: 0n, fingerprint: null },
      { ...log, first: 0n, last: 0n },
      null,
      null,
    ],
    ['lost the message at our position with its account', at, log, null, null],
    ['expired up to our position', at, { ...log, first: 41n }, null, null],
    ['expired beyond it', at, { ...log, first: 42n }, null, 'expired'],
    ['ends before it', at, { ...log, last: 39n }, null, 'truncated'],
    ['has another event there', at, log, 'other', 'restored'],
    ['is another', at, { ...log, created: '2026-11-22T00:00:00Z' }, 'e40', 'recreated'],
  ] as const)('that %s', (_, checkpoint, state, found, damage) => {
    expect(logDamage(checkpoint, state, found)).toBe(damage);
  });

  it('is another epoch each time our place in it is lost', () => {
    const next = nextEpoch(at, 40n, log);
    expect(next).not.toBe(at.epoch);
    expect(nextEpoch({ ...at, epoch: next }, 40n, log)).not.toBe(next);
    expect(isSameLog(next, log)).toBe(true);
    expect(isSameLog(next, { ...log, created: '2026-11-22T00:00:00Z' })).toBe(false);
  });

  it('lifts versions above all that were given before, however often it is lost', () => {
    const once = nextEpoch(at, 10n, log);
    expect(liftOf(once)).toBe(30n);
    const twice = nextEpoch({ position: 25n, epoch: once }, 10n, log);
    expect(liftOf(twice)).toBe(45n);
    expect(liftOf(nextEpoch({ position: 25n, epoch: twice }, 100n, log))).toBe(45n);
  });
});
