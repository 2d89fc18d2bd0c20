/** Keys of NATS users in a directory: what is there stays, seeds are private, who is removed is out. */
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { accountsFile, addSubscriber, ensureServiceUsers, removeSubscriber, seedFile } from './nats-users.ts';

let dir: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'mailstream-users-'));
});

afterEach(() => rmSync(dir, { recursive: true }));

const config = () => readFileSync(accountsFile(dir), 'utf8');
const publicKey = (seed: string) => readFileSync(seed.replace('.seed', '.pub'), 'utf8').trim();

it('makes a key per service, which only its owner can read, and keeps it', () => {
  const made = ensureServiceUsers(dir);
  expect(made).toHaveLength(5);
  for (const file of made) {
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(config()).toContain(publicKey(file));
    expect(config()).not.toContain(readFileSync(file, 'utf8').trim());
  }
  expect(ensureServiceUsers(dir)).toEqual([]);
});

it('goes by the public key: the seed may be moved away, and a deleted key is exchanged', () => {
  ensureServiceUsers(dir);
  const gateway = seedFile(dir, 'gateway');
  const before = publicKey(gateway);
  rmSync(gateway);
  expect(ensureServiceUsers(dir)).toEqual([]);
  rmSync(gateway.replace('.seed', '.pub'));
  expect(ensureServiceUsers(dir)).toEqual([gateway]);
  expect(config()).not.toContain(before);
});

it('adds subscribers once, and removes them', () => {
  ensureServiceUsers(dir);
  const seed = addSubscriber(dir, 'acme', 'crm');
  const key = publicKey(seed ?? '');
  expect(config()).toContain(`"tenant-acme"`);
  expect(addSubscriber(dir, 'acme', 'crm')).toBeNull();
  expect(addSubscriber(dir, 'globex', 'crm')).not.toBeNull();
  expect(removeSubscriber(dir, 'acme', 'crm')).toBe(true);
  expect(config()).not.toContain(key);
  expect(config()).toContain(`"tenant-globex"`);
  expect(removeSubscriber(dir, 'acme', 'crm')).toBe(false);
});
