// Turns: never more than allowed at a time, everybody in the order of asking, also after failures.
import { expect, it } from 'vitest';
import { createTurns } from './turns.ts';

it('lets so many work at a time, in the order in which they asked', async () => {
  const turns = createTurns(2);
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const begun: number[] = [];
  const all = gates.map((gate, n) =>
    turns(async () => {
      begun.push(n);
      await gate.promise;
    }),
  );
  await Promise.resolve();
  expect(begun).toEqual([0, 1]);
  gates[1]?.resolve();
  await all[1];
  expect(begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  await Promise.all(all);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
});

it('gives the turn on when work fails', async () => {
  const turns = createTurns(1);
  await expect(turns(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
  expect(await turns(async () => 'next')).toBe('next');
});
