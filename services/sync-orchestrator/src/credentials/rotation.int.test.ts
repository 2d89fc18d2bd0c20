// Keys that change while accounts live under them: wrapped again in batches, stopped and gone on with, lost and found; and what was stored before there were data keys.
import { randomBytes } from 'node:crypto';
import type { KeysRotated, KeysStatus } from '@mailstream/contracts';
import { createLogger } from '@mailstream/runtime';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startWorld, type World } from '../testkit.ts';
import { upgradeFirstFormat } from './first-format.ts';
import type { NamedKey } from './local-keys.ts';
import { sealBytes } from './sealing.ts';

const FIRST: NamedKey = { id: 'first', key: randomBytes(32) };
const NEXT: NamedKey = { id: 'next', key: randomBytes(32) };

let world: World;
const ids: string[] = [];

beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.stop());
beforeEach(async () => {
  keysAre(FIRST);
  for (const id of ids.splice(0)) await world.remove(id);
  for (const user of ['ada', 'bob', 'cleo', 'dan', 'eve']) ids.push(await add(user));
  ids.sort();
});

function keysAre(...keys: NamedKey[]): void {
  world.keys.splice(0, world.keys.length, ...keys);
}

async function add(user: string): Promise<string> {
  const settings = { host: 'imap.example.com', secure: true, user };
  const credential = { password: `password of ${user}` };
  const { body } = await world.call('POST', '/v1/accounts', { provider: 'imap', settings, credential });
  return body.id;
}

const rotate = async (how: object = {}) =>
  (await world.call<KeysRotated>('POST', '/v1/keys/rotate', how)).body;
const status = async () => (await world.call<KeysStatus>('GET', '/v1/keys')).body.keys;
const key = (id: string, inUse: number, more: object = {}) => ({
  id,
  inUse,
  configured: true,
  current: false,
  ...more,
});
const canBeUsed = async (account = ids[0] ?? '') => (await world.credentialsOf(account)).ok;

describe('a key that takes the place of another', () => {
  it('wraps what is new at once, and the rest in batches that need not follow each other', async () => {
    keysAre(NEXT, FIRST);
    ids.push(await add('fay'));
    expect(await status()).toEqual([key('next', 1, { current: true }), key('first', 5)]);

    const batch = await rotate({ limit: 2 });
    expect(batch).toEqual({ current: 'next', rewrapped: 2, failed: [], next: ids[1] });
    // Whoever was interrupted begins again without knowing where it was.
    expect(await rotate({ limit: 2 })).toMatchObject({ rewrapped: 2, next: ids[3] });
    expect(await rotate({ limit: 2 })).toMatchObject({ rewrapped: 1, next: null });
    expect(await rotate()).toMatchObject({ rewrapped: 0, next: null });
    expect(await status()).toEqual([key('next', 6, { current: true }), key('first', 0)]);

    keysAre(NEXT);
    for (const id of ids) expect(await canBeUsed(id)).toBe(true);
  });

  it('leaves alone what is given anew meanwhile', async () => {
    keysAre(NEXT, FIRST);
    const credentials = { credential: { password: 'another' } };
    await Promise.all([rotate(), ...ids.map((id) => world.call('PATCH', `/v1/accounts/${id}`, credentials))]);
    keysAre(NEXT);
    for (const id of ids)
      expect(await world.credentialsOf(id)).toMatchObject({ credential: { password: 'another' } });
  });
});

describe('a key that is lost', () => {
  it('is named to whoever needs it, and what is under other keys goes on', async () => {
    keysAre(NEXT);
    const reply = await world.credentialsOf(ids[0] ?? '');
    expect(reply).toMatchObject({ ok: false, failure: 'permanent', code: 'vault.key_missing' });
    expect(!reply.ok && reply.message).toContain('the key "first" ');
    expect(await status()).toContainEqual(key('first', 5, { configured: false }));
    const { rewrapped, failed, next } = await rotate({ limit: 3 });
    expect({ rewrapped, failed: failed.length, next }).toEqual({ rewrapped: 0, failed: 3, next: ids[2] });
    expect(failed[0]).toMatchObject({ account: ids[0], key: 'first', code: 'vault.key_missing' });
    expect(await rotate({ limit: 3, after: next })).toMatchObject({ failed: { length: 2 }, next: null });

    keysAre(NEXT, FIRST);
    expect(await canBeUsed()).toBe(true);
  });
});

describe('a credential from before there were data keys', () => {
  it('is sealed once more at the start, and one under a lost key waits for it', async () => {
    const [ada = '', bob = ''] = ids;
    const before = (id: string, { key }: NamedKey) =>
      Buffer.concat([Buffer.from([1]), sealBytes(key, Buffer.from('{"password":"from before"}'), id)]);
    for (const [id, under] of [
      [ada, FIRST],
      [bob, NEXT],
    ] as const)
      await world.db.query(
        `UPDATE control.credential SET key_id = '', data_key = '', sealed = $2 WHERE account = $1`,
        [id, before(id, under)],
      );
    const { db, vault } = world;
    const upgrade = () =>
      upgradeFirstFormat({ db, vault, keys: world.keys, logger: createLogger('test', 'silent') });
    await Promise.all([upgrade(), upgrade()]);
    expect(await world.credentialsOf(ada)).toMatchObject({ credential: { password: 'from before' } });
    expect(await world.credentialsOf(bob)).toMatchObject({ ok: false, code: 'vault.key_missing' });
    keysAre(FIRST, NEXT);
    await upgrade();
    expect(await world.credentialsOf(bob)).toMatchObject({ credential: { password: 'from before' } });
  });
});
