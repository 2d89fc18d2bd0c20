import { envelope } from '@mailstream/contracts';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Change } from './change.ts';
import type { Position } from './position.ts';
import { createProgress, type Reached } from './progress.ts';

const place = (sequence: number): Position => ({ stream: 's', sequence: BigInt(sequence), storedAt: null });
const START: Reached = { floor: place(0), ahead: new Map() };

function change(sequence: number, account: string): Change {
  const state = { sequence: String(sequence), subject: '', reason: '' };
  const data = { version: String(sequence), origin: null, changed: [], state };
  const draft = { id: `${sequence}`, source: '/test', time: '', tenant: 't', account, data };
  return {
    sequence: BigInt(sequence),
    event: { ...envelope({ ...draft, type: '' }), type: 'mailstream.message.skipped.v1' },
  };
}

it('is at the last change when all are done, and before the first that is not', () => {
  const progress = createProgress(START);
  const [a, b, c] = [change(1, 'a'), change(2, 'b'), change(3, 'c')] as const;
  progress.arrived([a, b, c], place(5));
  expect(progress.reached().floor.sequence).toBe(0n);
  progress.done(b);
  expect(progress.reached()).toEqual({ floor: place(0), ahead: new Map([['b', 2n]]) });
  progress.done(a);
  expect(progress.reached()).toEqual({ floor: place(2), ahead: new Map() });
  progress.done(c);
  expect(progress.reached()).toEqual({ floor: place(5), ahead: new Map() });
});

it('gives each change of each account, in order, wherever work stops and goes on from what was reached', () => {
  const plan = fc.record({
    accounts: fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 30 }),
    rounds: fc.array(fc.record({ take: fc.nat(12), finish: fc.array(fc.nat(3), { maxLength: 12 }) }), {
      maxLength: 8,
    }),
  });
  fc.assert(
    fc.property(plan, ({ accounts, rounds }) => {
      const stream = accounts.map((account, n) => change(n + 1, account));
      const handled: Change[] = [];
      let reached = START;
      for (const { take, finish } of [...rounds, { take: 99, finish: [] }, { take: 99, finish: [] }]) {
        const progress = createProgress(reached);
        const after = stream.filter(({ sequence }) => sequence > reached.floor.sequence).slice(0, take);
        const end = after.at(-1)?.sequence ?? reached.floor.sequence;
        const lanes = Map.groupBy(progress.arrived(after, place(Number(end))), ({ event }) => event.account);
        const finishing = take === 99 ? Array.from({ length: 200 }, (_, n) => n % 4) : finish;
        for (const n of finishing) {
          const done = lanes.get('abcd'[n] ?? '')?.shift();
          if (!done) continue;
          handled.push(done);
          progress.done(done);
        }
        reached = progress.reached();
      }
      // Nothing is left out, nothing comes twice that was saved as done, and no account goes back.
      expect(reached.floor.sequence).toBe(BigInt(stream.length));
      for (const [account, own] of Map.groupBy(handled, ({ event }) => event.account))
        expect(own, account).toEqual(stream.filter(({ event }) => event.account === account));
    }),
  );
});
