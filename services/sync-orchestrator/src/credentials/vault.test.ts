// The vault over local keys: sealed values open again for the same purpose and under the same keys, and for nothing else.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { joinKeys } from './keys.ts';
import { createLocalKeys, type NamedKey } from './local-keys.ts';
import { createVault, type Stored } from './vault.ts';

const SECRET = { password: 'correct horse battery staple' };
const ADA = { kind: 'credential', of: 'account-1' } as const;

const named = (id: string): NamedKey => ({ id, key: randomBytes(32) });
const vaultOf = (...keys: NamedKey[]) => createVault(createLocalKeys(async () => keys));

function changed(bytes: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, -1), Buffer.from([(bytes.at(-1) ?? 0) ^ 1])]);
}

describe('sealing', () => {
  const key = named('now');
  const vault = vaultOf(key);

  it('opens to what was sealed, and shows nothing of it', async () => {
    const stored = await vault.seal(ADA, SECRET);
    expect((await vault.open(ADA, stored)).value).toEqual(SECRET);
    expect(Buffer.from(stored.sealed).includes('horse')).toBe(false);
    expect(stored.keyId).toBe('now');
  });

  it('takes a data key for each, which serves for what is sealed in its place', async () => {
    const [one, other] = [await vault.seal(ADA, SECRET), await vault.seal(ADA, SECRET)];
    await expect(vault.open(ADA, { ...one, sealed: other.sealed })).rejects.toThrow('cannot be opened');
    const { reseal } = await vault.open(ADA, one);
    const next = { ...one, sealed: reseal({ password: 'next' }) };
    expect((await vault.open(ADA, next)).value).toEqual({ password: 'next' });
  });

  it.each<[string, (stored: Stored) => Promise<unknown>]>([
    ['another account', (stored) => vault.open({ ...ADA, of: 'account-2' }, stored)],
    ['another purpose', (stored) => vault.open({ ...ADA, kind: 'sign-in' }, stored)],
    ['another key of that name', (stored) => vaultOf(named('now')).open(ADA, stored)],
    ['a changed value', (stored) => vault.open(ADA, { ...stored, sealed: changed(stored.sealed) })],
    ['a changed data key', (stored) => vault.open(ADA, { ...stored, dataKey: changed(stored.dataKey) })],
    ['a cut end', (stored) => vault.open(ADA, { ...stored, sealed: stored.sealed.subarray(0, 20) })],
    ['nothing', (stored) => vault.open(ADA, { ...stored, dataKey: Buffer.alloc(0) })],
  ])('does not open for %s', async (_what, open) => {
    const stored = await vault.seal(ADA, SECRET);
    await expect(open(stored)).rejects.toMatchObject({ code: 'vault.unreadable', failure: 'permanent' });
  });

  it('names the key that is lost', async () => {
    const stored = await vaultOf(named('lost-2025')).seal(ADA, SECRET);
    await expect(vault.open(ADA, stored)).rejects.toMatchObject({
      code: 'vault.key_missing',
      failure: 'permanent',
      message: expect.stringContaining('lost-2025'),
    });
  });
});

describe('with several keys', () => {
  const [old, now] = [named('old'), named('now')];

  it('the first seals, all open, and what is wrapped again is as it was', async () => {
    const before = await vaultOf(old).seal(ADA, SECRET);
    const vault = vaultOf(now, old);
    expect((await vault.open(ADA, before)).value).toEqual(SECRET);
    const after = { ...before, ...(await vault.rewrap(ADA, before)) };
    expect(after.keyId).toBe('now');
    expect(after.sealed).toBe(before.sealed);
    expect((await vaultOf(now).open(ADA, after)).value).toEqual(SECRET);
  });

  it('of several origins each opens its own', async () => {
    const [one, other] = [createLocalKeys(async () => [now]), createLocalKeys(async () => [old])];
    const vault = createVault(joinKeys(one, other));
    expect(await vault.ids()).toEqual(['now', 'old']);
    expect((await vault.open(ADA, await vaultOf(old).seal(ADA, SECRET))).value).toEqual(SECRET);
    expect((await vault.seal(ADA, SECRET)).keyId).toBe('now');
  });
});
