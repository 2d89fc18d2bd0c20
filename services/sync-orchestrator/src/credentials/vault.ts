/** Seals credentials for storage: each under a data key of its own, which is stored beside it, wrapped by a key-encryption key. */
import { randomBytes } from 'node:crypto';
import { type Keys, unreadable, type WrappedKey } from './keys.ts';
import { KEY_BYTES, openBytes, sealBytes } from './sealing.ts';

/** What a sealed value is for: it opens for nothing else. */
export interface Purpose {
  readonly kind: 'credential' | 'sign-in' | 'webhook';
  /** The account, the endpoint, or whatever tells one from the other. */
  readonly of: string;
}

/** A sealed value as it is stored: three columns. */
export interface Stored extends WrappedKey {
  readonly sealed: Uint8Array;
}

export interface Opened {
  readonly value: unknown;
  /** Another value in its place, under the same data key: asks no key server, so it works once the old value has been opened. */
  reseal(value: unknown): Uint8Array;
}

/** Throws `VaultError`. */
export interface Vault {
  /** Under a new data key, wrapped by the current key. */
  seal(purpose: Purpose, value: unknown): Promise<Stored>;
  open(purpose: Purpose, stored: Stored): Promise<Opened>;
  /** The same data key, wrapped by the current key. */
  rewrap(purpose: Purpose, wrapped: WrappedKey): Promise<WrappedKey>;
  /** As `Keys`. */
  ids(): Promise<readonly string[]>;
  has(keyId: string): Promise<boolean>;
}

export function createVault(keys: Keys): Vault {
  return {
    ids: keys.ids,
    has: keys.has,
    async seal(purpose, value) {
      const binding = bindingOf(purpose);
      const dataKey = randomBytes(KEY_BYTES);
      return { ...(await keys.wrap(dataKey, binding)), sealed: sealValue(dataKey, value, binding) };
    },
    async open(purpose, stored) {
      const binding = bindingOf(purpose);
      const dataKey = await keys.unwrap(stored, binding);
      return {
        value: openValue(dataKey, stored.sealed, binding),
        reseal: (value) => sealValue(dataKey, value, binding),
      };
    },
    async rewrap(purpose, wrapped) {
      const binding = bindingOf(purpose);
      return keys.wrap(await keys.unwrap(wrapped, binding), binding);
    },
  };
}

function bindingOf({ kind, of }: Purpose): string {
  return `mailstream ${kind} ${of}`;
}

function sealValue(dataKey: Buffer, value: unknown, binding: string): Buffer {
  return sealBytes(dataKey, Buffer.from(JSON.stringify(value)), binding);
}

function openValue(dataKey: Buffer, sealed: Uint8Array, binding: string): unknown {
  return JSON.parse(opened(dataKey, sealed, binding).toString('utf8'));
}

function opened(dataKey: Buffer, sealed: Uint8Array, binding: string): Buffer {
  try {
    return openBytes(dataKey, sealed, binding);
  } catch (cause) {
    throw unreadable(cause);
  }
}
