/** Key-encryption keys that are given as text: in the environment, or in a file that is read again when it changes. */
import { createHash, randomBytes } from 'node:crypto';
import { link, readFile, stat, unlink, writeFile } from 'node:fs/promises';
import { AppError, type Logger, messageOf } from '@mailstream/runtime';
import { type Keys, keyMissing, unreadable } from './keys.ts';
import { KEY_BYTES, openBytes, sealBytes } from './sealing.ts';

export interface NamedKey {
  readonly id: string;
  readonly key: Buffer;
}

/** At least one, the current one first. */
export type ReadKeys = () => Promise<readonly NamedKey[]>;

/**
 * Keys from text: `id:base64` or `base64` alone, whose id is made from its digest; separated by commas or white space, lines that begin with `#`
 * left out. The first is the current one. Throws `config.key`, which never repeats the text.
 */
export function parseKeys(text: string): readonly NamedKey[] {
  const entries = text
    .replaceAll(/^\s*#.*$/gm, '')
    .split(/[\s,]+/)
    .filter(Boolean);
  const keys = entries.map((entry, at) => parseKey(entry, `key ${at + 1} of ${entries.length}`));
  if (keys.length === 0) throw badKey('there is no key');
  const ids = new Set(keys.map(({ id }) => id));
  if (ids.size < keys.length) throw badKey('two keys have the same id');
  return keys;
}

function parseKey(entry: string, which: string): NamedKey {
  const [, id, base64 = ''] = /^(?:([^:]*):)?(.*)$/.exec(entry) ?? [];
  if (id !== undefined && !/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(id))
    throw badKey(`the id of ${which} must be letters, digits, dots and dashes`);
  const key = Buffer.from(base64, 'base64');
  if (key.length !== KEY_BYTES)
    throw badKey(`${which} must be ${KEY_BYTES} bytes in base64, not ${key.length}: openssl rand -base64 32`);
  return { id: id ?? createHash('sha256').update(key).digest('hex').slice(0, 8), key };
}

function badKey(what: string): AppError {
  return new AppError('config.key', 'permanent', `MAILSTREAM_KEY or its file: ${what}`);
}

export function createLocalKeys(read: ReadKeys): Keys {
  const boundTo = (keyId: string, binding: string) => `${keyId} ${binding}`;
  return {
    ids: async () => (await read()).map(({ id }) => id),
    has: async (keyId) => (await read()).some(({ id }) => id === keyId),
    async wrap(dataKey, binding) {
      const [current] = await read();
      if (!current) throw badKey('there is no key');
      return { keyId: current.id, dataKey: sealBytes(current.key, dataKey, boundTo(current.id, binding)) };
    },
    async unwrap({ keyId, dataKey }, binding) {
      const known = (await read()).find(({ id }) => id === keyId);
      if (!known) throw keyMissing(keyId);
      try {
        return openBytes(known.key, dataKey, boundTo(keyId, binding));
      } catch (cause) {
        throw unreadable(cause);
      }
    },
  };
}

/** Keys of a file, which is made (mode 0600) if it is not there. A change takes effect at once; one that makes no sense is logged and not taken. */
export async function readKeyFile(path: string, logger: Logger): Promise<ReadKeys> {
  await makeKeyFile(path);
  let seen = await stampOf(path);
  let keys = parseKeys(await readFile(path, 'utf8'));
  return async () => {
    try {
      const stamp = await stampOf(path);
      if (stamp === seen) return keys;
      seen = stamp;
      keys = parseKeys(await readFile(path, 'utf8'));
      logger.info({ ids: keys.map(({ id }) => id) }, 'the key file has changed and was read again');
    } catch (error) {
      logger.error({ err: error }, `the key file cannot be read, the keys before go on: ${messageOf(error)}`);
    }
    return keys;
  };
}

async function stampOf(path: string): Promise<string> {
  const { ino, size, mtimeNs } = await stat(path, { bigint: true });
  return `${ino} ${size} ${mtimeNs}`;
}

async function makeKeyFile(path: string): Promise<void> {
  const there = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    return null;
  });
  if (there) return;
  // Written beside and linked into place: of two processes that start at once one makes the key, and neither reads half of it.
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, randomBytes(KEY_BYTES).toString('base64'), { mode: 0o600, flag: 'wx' });
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(draft);
}
