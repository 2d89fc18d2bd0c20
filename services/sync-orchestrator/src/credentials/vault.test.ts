// The vault: sealed credentials open again under the same key and account, and under nothing else.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createVault, loadKey } from './vault.ts';

const SECRET = { password: 'correct horse battery staple' };

describe('sealing', () => {
  const vault = createVault(randomBytes(32));

  it('opens to what was sealed, and shows nothing of it', () => {
    const sealed = vault.seal('account-1', SECRET);
    expect(vault.open('account-1', sealed)).toEqual(SECRET);
    expect(sealed.includes('horse')).toBe(false);
    expect(vault.seal('account-1', SECRET)).not.toEqual(sealed);
  });

  it.each([
    ['another account', (sealed: Buffer) => vault.open('account-2', sealed)],
    ['another key', (sealed: Buffer) => createVault(randomBytes(32)).open('account-1', sealed)],
    [
      'a changed byte',
      (sealed: Buffer) =>
        vault.open(
          'account-1',
          Buffer.concat([sealed.subarray(0, -1), Buffer.from([(sealed.at(-1) ?? 0) ^ 1])]),
        ),
    ],
    ['a cut end', (sealed: Buffer) => vault.open('account-1', sealed.subarray(0, 20))],
  ])('does not open for %s', (_what, open) => {
    expect(() => open(vault.seal('account-1', SECRET))).toThrow('cannot be opened');
  });
});

describe('the key', () => {
  let dir = '';
  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'mailstream-key-'));
  });
  afterAll(() => rm(dir, { recursive: true }));

  it('is made once, for its owner only, and read from then on', async () => {
    const file = join(dir, 'key');
    const [first, second] = await Promise.all([loadKey({ text: null, file }), loadKey({ text: null, file })]);
    expect(first).toEqual(second);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(Buffer.from(await readFile(file, 'utf8'), 'base64')).toEqual(first);
  });

  it('must be given, and whole', async () => {
    await expect(loadKey({ text: null, file: null })).rejects.toThrow('MAILSTREAM_KEY');
    await expect(loadKey({ text: 'c2hvcnQ=', file: null })).rejects.toThrow(
      'must be 32 bytes in base64, not 5',
    );
  });
});
