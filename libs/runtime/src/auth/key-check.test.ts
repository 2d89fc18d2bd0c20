import fc from 'fast-check';
import { expect, it } from 'vitest';
import { newApiKey, parseApiKey } from './api-key.ts';
import { createKeyCheck, type FoundKey } from './key-check.ts';

const key = newApiKey();
const found: FoundKey = { tenant: 'acme', prefix: key.prefix, scopes: ['messages:read'], expiresAt: null };

/** A check whose time and table are at hand. */
function bench(start: FoundKey | null) {
  const state = { now: 0, found: start, lookUps: 0, fails: false };
  const check = createKeyCheck(
    async (digest) => {
      state.lookUps += 1;
      if (state.fails) throw new Error('nobody answers');
      return digest === key.digest ? state.found : null;
    },
    () => state.now,
  );
  return { state, check: () => check(key.text) };
}

it('a key is read back as it was written', () => {
  expect(key.text).toMatch(/^ms_[0-9a-f]{12}_[0-9a-f]{72}$/);
  expect(parseApiKey(key.text)).toEqual(key);
});

it('one wrong character is noticed without asking anybody', () => {
  const wrong = fc.record({ at: fc.nat(key.text.length - 1), by: fc.constantFrom(...'0123456789abcdefg_ ') });
  fc.assert(
    fc.property(wrong, ({ at, by }) => {
      const text = key.text.slice(0, at) + by + key.text.slice(at + 1);
      expect(parseApiKey(text)).toEqual(text === key.text ? key : null);
    }),
  );
});

it('a known key says who calls', async () => {
  const { check } = bench(found);
  expect(await check()).toEqual({
    tenant: 'acme',
    subject: `api-key:${key.prefix}`,
    scopes: ['messages:read'],
  });
});

it('is looked up once for calls at the same time, and again after five seconds: then a revoked one is refused', async () => {
  const { state, check } = bench(found);
  await Promise.all([check(), check(), check()]);
  state.found = null;
  state.now = 4_999;
  await check();
  expect(state.lookUps).toBe(1);
  state.now = 5_000;
  await expect(check()).rejects.toMatchObject({
    code: 'auth.refused',
    message: expect.stringContaining(key.prefix),
  });
  expect(state.lookUps).toBe(2);
});

it('ends when it expires, also while it is remembered', async () => {
  const { state, check } = bench({ ...found, expiresAt: new Date(1_000).toISOString() });
  await check();
  state.now = 1_000;
  await expect(check()).rejects.toMatchObject({ code: 'auth.refused' });
  expect(state.lookUps).toBe(1);
});

it('that cannot be looked up is not refused, and is looked up at the next call', async () => {
  const { state, check } = bench(found);
  state.fails = true;
  await expect(check()).rejects.toMatchObject({ code: 'auth.unavailable', errorClass: 'network' });
  state.fails = false;
  expect((await check()).tenant).toBe('acme');
});
