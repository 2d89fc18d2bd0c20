/** Seals credentials for storage: AES-256-GCM under one key, bound to the account they belong to. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { link, readFile, unlink, writeFile } from 'node:fs/promises';
import { AppError } from '@mailstream/runtime';

const FORMAT = 1;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const KEY_BYTES = 32;

export interface Vault {
  /** A credential as bytes to store: format, nonce, tag, ciphertext. */
  seal(account: string, credential: unknown): Buffer;
  /** The credential again. Throws `vault.unreadable` when the key is another one or the bytes were changed or belong to another account. */
  open(account: string, sealed: Uint8Array): unknown;
}

/** A vault under a 32-byte key. */
export function createVault(key: Buffer): Vault {
  return {
    seal(account, credential) {
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(account));
      const text = Buffer.concat([cipher.update(JSON.stringify(credential), 'utf8'), cipher.final()]);
      return Buffer.concat([Buffer.from([FORMAT]), iv, cipher.getAuthTag(), text]);
    },
    open(account, sealed) {
      const bytes = Buffer.from(sealed);
      const tagAt = 1 + IV_BYTES;
      const textAt = tagAt + TAG_BYTES;
      try {
        if (bytes[0] !== FORMAT) throw new Error(`unknown format ${bytes[0]}`);
        const decipher = createDecipheriv('aes-256-gcm', key, bytes.subarray(1, tagAt));
        decipher.setAAD(Buffer.from(account)).setAuthTag(bytes.subarray(tagAt, textAt));
        const text = Buffer.concat([decipher.update(bytes.subarray(textAt)), decipher.final()]);
        return JSON.parse(text.toString('utf8'));
      } catch (cause) {
        throw new AppError(
          'vault.unreadable',
          'permanent',
          'the stored credential cannot be opened: is the key the one it was stored under? Set the old key, or give the credential again',
          { cause },
        );
      }
    },
  };
}

/** The key from its base64 text, or from a file that is made (mode 0600) if it is not there. Throws `config.key` when it is not 32 bytes. */
export async function loadKey(source: {
  readonly text: string | null;
  readonly file: string | null;
}): Promise<Buffer> {
  const text = source.text ?? (source.file === null ? null : await keyFile(source.file));
  if (text === null)
    throw new AppError(
      'config.key',
      'permanent',
      'set MAILSTREAM_KEY (32 bytes, base64) or MAILSTREAM_KEY_FILE',
    );
  const key = Buffer.from(text.trim(), 'base64');
  if (key.length !== KEY_BYTES) {
    throw new AppError(
      'config.key',
      'permanent',
      `the key must be ${KEY_BYTES} bytes in base64, not ${key.length}: openssl rand -base64 32`,
    );
  }
  return key;
}

async function keyFile(path: string): Promise<string> {
  // Written beside and linked into place: of two processes that start at once one makes the key, and neither reads half of it.
  const draft = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`;
  await writeFile(draft, randomBytes(KEY_BYTES).toString('base64'), { mode: 0o600, flag: 'wx' });
  await link(draft, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(draft);
  return readFile(path, 'utf8');
}
