// The allowance of one process, and of several that tell each other through the jobs.
import type { Spending, SpentSoFar } from '@mailstream/contracts';
import { expect, it } from 'vitest';
import { createLedger } from './ledger.ts';

const GET = 20;
const PER_MINUTE = 6_000;
const MOST = PER_MINUTE / GET;

/** `count` fetchers on one clock; `project`: what all accounts may spend. */
function start(count: number, project = 1_200_000) {
  const clock = { now: 1_000_000 };
  const profile = { costs: '2026', unitsPerMinute: PER_MINUTE, projectUnitsPerMinute: project } as const;
  const ledgers = Array.from({ length: count }, () => createLedger(profile, () => clock.now));
  const [first = createLedger(profile, () => clock.now), second = first] = ledgers;
  return { clock, first, second };
}

const soFar = ({ spent }: Spending, projectUnits = 0): SpentSoFar => ({ spent, projectUnits });

it('refuses what is over the limit, and says when it can be asked for', () => {
  const { clock, first } = start(1);
  for (let n = 0; n < MOST; n += 1) {
    first.spend('a', 'messages.get');
    clock.now += 10;
  }
  expect(() => first.spend('a', 'getProfile')).toThrow(
    expect.objectContaining({ failure: 'quota', code: 'gmail.allowance_spent', retryAfterMs: 57_240 }),
  );
  first.spend('b', 'messages.get');
  clock.now += 57_240;
  first.spend('a', 'messages.get');
});

it('has an import wait for its part, and leaves the rest to live looks', () => {
  const { clock, first } = start(1);
  while (first.forImport('a') >= GET) first.spend('a', 'messages.get');
  expect(first.of('a').spent).toEqual([{ at: clock.now, method: 'messages.get', units: 5_760 }]);
  expect(first.importWaitMs('a', GET)).toBe(60_000);
  first.spend('a', 'messages.get');
  expect(first.importMs(10_000 * GET)).toBe(Math.ceil((200_000 / 5_760) * 60_000));
});

it('counts what another process spent on the account before, once', () => {
  const { clock, first, second } = start(2);
  for (let n = 0; n < 100; n += 1) first.spend('a', 'messages.get');
  clock.now += 5_000;
  const told = soFar(first.of('a'), 2_000);
  second.learn('a', told);
  second.learn('a', told);
  expect(second.forImport('a')).toBe(5_760 - 2_000);
  second.spend('a', 'messages.get');
  first.learn('a', soFar(second.of('a'), 2_020));
  expect(first.forImport('a')).toBe(5_760 - 2_020);
  expect(first.usage()).toMatchObject({ project: 2_020, totals: new Map([['messages.get', 2_000]]) });
});

it('keeps to what all accounts may spend, also those of other processes', () => {
  const { clock, first } = start(1, 10_000);
  first.learn('a', soFar(first.of('a'), 9_990));
  expect(() => first.spend('a', 'messages.get')).toThrow('allowance');
  clock.now += 60_000;
  first.spend('a', 'messages.get');
});

it('believes the provider that all is spent: of the account, or of the project', () => {
  const { clock, first } = start(1);
  first.exhausted('a', 'account');
  expect(() => first.spend('a', 'getProfile')).toThrow('allowance');
  first.spend('b', 'getProfile');
  expect(first.of('a').spent).toEqual([{ at: clock.now, method: 'elsewhere', units: PER_MINUTE }]);
  first.exhausted('b', 'project');
  expect(() => first.spend('b', 'getProfile')).toThrow('allowance');
  clock.now += 60_000;
  first.spend('a', 'getProfile');
  first.spend('b', 'getProfile');
});

it('forgets accounts that spend nothing', () => {
  const { clock, first } = start(1);
  for (let n = 0; n < 100; n += 1) first.spend(`a${n}`, 'getProfile');
  clock.now += 60_000;
  first.spend('b', 'getProfile');
  expect([...first.usage().accounts]).toEqual([['b', 1]]);
});
