import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { createGates } from './gate.ts';

const { signal } = new AbortController();

it('lets three through, the others in order as room comes free', async () => {
  const gates = createGates(3);
  const entered: number[] = [];
  const leave: (() => void)[] = [];
  for (const weight of [1, 2, 3, 1])
    void gates.enter('a', weight, signal).then((done) => {
      entered.push(weight);
      leave.push(done);
    });
  await turn();
  expect(entered).toEqual([1, 2]);
  leave.shift()?.();
  await turn();
  expect(entered).toEqual([1, 2]);
  leave.shift()?.();
  await turn();
  expect(entered).toEqual([1, 2, 3]);
  leave.shift()?.();
  await turn();
  expect(entered).toEqual([1, 2, 3, 1]);
});

it('keeps no account waiting for another', async () => {
  const gates = createGates(1);
  await gates.enter('a', 1, signal);
  await gates.enter('b', 1, signal);
});

it('forgets who gave up waiting, and lets those behind through', async () => {
  const gates = createGates(2);
  const leave = await gates.enter('a', 1, signal);
  const impatient = new AbortController();
  const refused = expect(gates.enter('a', 2, impatient.signal)).rejects.toThrow('no longer');
  const behind = gates.enter('a', 1, signal);
  impatient.abort(new Error('no longer'));
  await refused;
  (await behind)();
  leave();
  await expect(gates.enter('a', 1, AbortSignal.abort(new Error('too late')))).rejects.toThrow('too late');
  await gates.enter('a', 2, signal);
});
