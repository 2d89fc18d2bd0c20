import { describe, expect, it } from 'vitest';
import { describePush, pickAccount } from './accounts.ts';
import { CliError } from './errors.ts';
import { accountOf } from './testkit.ts';

const demo = accountOf('0190a000-0000-7000-8000-000000000001', 'demo');
const ada = accountOf('0190a000-0000-7000-8000-000000000002', 'Ada at imap.example.com');
const bob = accountOf('0190b000-0000-7000-8000-000000000003', 'demo of bob');
const all = [demo, ada, bob];

describe('pickAccount', () => {
  it.each([
    [demo.id, demo],
    ['demo', demo],
    ['demo o', bob],
    ['ada', ada],
    ['0190b', bob],
    ['0190B', bob],
  ])('%s', (called, found) => {
    expect(pickAccount(all, called)).toBe(found);
  });

  it('names the choices when there are several', () => {
    expect(() => pickAccount(all, 'd')).toThrow(
      '"d" could be "demo" (0190a000-0000-7000-8000-000000000001) or "demo of bob"',
    );
  });

  it('names what there is when there is no such account', () => {
    expect(() => pickAccount([demo], 'eve')).toThrow('no account is called "eve": there is "demo"');
    expect(() => pickAccount([], 'eve')).toThrow(
      new CliError('no account is called "eve": there are no accounts'),
    );
  });
});

describe('describePush', () => {
  it.each([
    ['IDLE', null],
    [
      expect.stringMatching(/^push until 2026-01-0\d \d\d:\d\d$/),
      { until: '2026-01-03T12:00:00Z', reason: null },
    ],
    ['poll (no public address)', { until: null, reason: 'no public address' }],
    [
      expect.stringMatching(/^push until .* \(throttled\)$/),
      { until: '2026-01-03T12:00:00Z', reason: 'throttled' },
    ],
  ])('says %s', (said, webhook) => {
    expect(describePush({ ...ada, webhook })).toEqual(said);
  });
});
