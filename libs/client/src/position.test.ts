import { BusError, type TenantChanges } from '@mailstream/bus';
import { expect, it } from 'vitest';
import { positionFor } from './position.ts';

/** A stream whose keeper is silent so many times. */
function silentFor(times: number): TenantChanges & { asked(): number } {
  let asked = 0;
  const unused = () => {
    throw new Error('not asked for');
  };
  return {
    asked: () => asked,
    async state() {
      asked += 1;
      if (asked <= times) throw new BusError('bus.timeout', 'no answer');
      return { created: '2026-01-01T00:00:00Z', first: 3n, last: 7n, messages: 5, bytes: 0 };
    },
    at: unused,
    last: unused,
    read: unused,
    count: unused,
  };
}

const { signal } = new AbortController();

it('is asked for again while who knows it is starting', async () => {
  expect(await positionFor(silentFor(2), 'now', signal)).toMatchObject({ sequence: 7n });
});

it('is given up when nobody answers', async () => {
  const silent = silentFor(100);
  await expect(positionFor(silent, 'now', signal)).rejects.toMatchObject({ code: 'bus.timeout' });
  expect(silent.asked()).toBe(3);
});
