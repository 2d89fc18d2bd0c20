import { describe, expect, it } from 'vitest';
import type { Unit } from './page-collector.ts';
import { createUnitQueue } from './unit-queue.ts';

const idle = 5;
const running = new AbortController().signal;

function unit(sequence: number, events = 1, bytes = 10): Unit {
  const last = {
    stream: 'MAIL',
    subject: '',
    sequence: BigInt(sequence),
    time: new Date(0),
    data: new Uint8Array(),
    headers: {},
  };
  return { page: null, broken: null, poison: [], last, events, bytes };
}

const sequences = (units: readonly Unit[]) => units.map((each) => Number(each.last.sequence));

describe('taking', () => {
  it('gives what has arrived, and nothing when nothing comes', async () => {
    const queue = createUnitQueue();
    await queue.push([unit(1), unit(2)], running);
    expect(sequences(await queue.take(0n, idle, running))).toEqual([1, 2]);
    expect(await queue.take(0n, idle, running)).toEqual([]);
  });

  it('wakes for what comes while it waits', async () => {
    const queue = createUnitQueue();
    const taking = queue.take(0n, 60_000, running);
    await queue.push([unit(1)], running);
    expect(sequences(await taking)).toEqual([1]);
  });

  it('gives no more than fits a transaction, but always one', async () => {
    const queue = createUnitQueue();
    void queue.push([unit(1, 1_500), unit(2, 600), unit(3, 1, 9e6), unit(4)], running);
    expect(sequences(await queue.take(0n, idle, running))).toEqual([1]);
    expect(sequences(await queue.take(0n, idle, running))).toEqual([2]);
    expect(sequences(await queue.take(0n, idle, running))).toEqual([3]);
    expect(sequences(await queue.take(0n, idle, running))).toEqual([4]);
  });

  it('stops at the boundary', async () => {
    const queue = createUnitQueue();
    await queue.push([unit(1), unit(2), unit(3), unit(4)], running);
    expect(sequences(await queue.take(2n, idle, running))).toEqual([1, 2]);
    expect(sequences(await queue.take(2n, idle, running))).toEqual([3, 4]);
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const taking = createUnitQueue().take(0n, 60_000, stop.signal);
    stop.abort();
    expect(await taking).toEqual([]);
  });
});

it('lets the reader go on only while there is room', async () => {
  const queue = createUnitQueue();
  let hasRoom = false;
  const pushing = queue.push([unit(1, 1_000), unit(2, 400)], running).then(() => {
    hasRoom = true;
  });
  await queue.take(1n, idle, running);
  await pushing;
  expect(hasRoom).toBe(true);

  const stop = new AbortController();
  const blocked = queue.push([unit(3, 2_000)], stop.signal);
  stop.abort();
  await blocked;
});
