/** Floods of notifications: they become few writes and few look-ups, and are never answered with an error. */
import { hash } from 'node:crypto';
import { type PushTarget, subjects, uuidv7 } from '@mailstream/contracts';
import { expect, it } from 'vitest';
import { createHintWriter } from './hints.ts';
import { createPushTargets } from './push-targets.ts';

it('a flood for one account is one write at a time, and one after the last', async () => {
  let running = 0;
  let most = 0;
  let writes = 0;
  const disk: (() => void)[] = [];
  const putHint = createHintWriter({
    connected: () => true,
    publishBatch: () => expect.fail('one subject needs no batch'),
    publish: async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((written) => disk.push(written));
      running -= 1;
      writes += 1;
      return BigInt(writes);
    },
  });
  const flood = Array.from({ length: 10_000 }, () => putHint('sync.requested.t.a.push'));
  disk.shift()?.();
  await expect.poll(() => disk.length).toBe(1);
  disk.shift()?.();
  const sequences = await Promise.all(flood);
  expect(most).toBe(1);
  expect(writes).toBe(2);
  // Whoever came while a hint was on its way has another one after it.
  expect(new Set(sequences)).toEqual(new Set([1n, 2n]));
  const last = putHint('sync.requested.t.a.push');
  await expect.poll(() => disk.length).toBe(1);
  disk.shift()?.();
  expect(await last).toBe(3n);
});

it('a flood of made-up subscriptions neither fills NATS with look-ups nor displaces real ones', async () => {
  const target: PushTarget = { tenant: 'default', account: uuidv7(), secretHash: hash('sha256', 'secret') };
  const real = subjects.push('microsoft', 'real');
  const waiting: (() => void)[] = [];
  let held = false;
  const find = createPushTargets({
    last: async (_stream, subject) => {
      if (held) await new Promise<void>((answered) => waiting.push(answered));
      if (subject !== real) return null;
      const data = new TextEncoder().encode(JSON.stringify({ targets: [target] }));
      return { stream: 'PUSH', subject, data, sequence: 1n, headers: {}, time: new Date(0) };
    },
  });
  expect(await find('microsoft', 'real')).toEqual([target]);
  held = true;
  const made = Array.from({ length: 50_000 }, (_, at) => find('microsoft', `made-up-${at}`));
  expect(await find('microsoft', 'real')).toEqual([target]);
  expect(waiting.length).toBeLessThan(1_000);
  for (const answer of waiting) answer();
  expect((await Promise.all(made)).flat()).toEqual([]);
});
