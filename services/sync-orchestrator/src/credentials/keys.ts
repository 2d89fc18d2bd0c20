/** The port of key-encryption keys: they wrap the data keys of accounts, and nothing else. */
import type { FailureClass } from '@mailstream/contracts';
import { AppError } from '@mailstream/runtime';

/** A data key as it is stored. */
export interface WrappedKey {
  /** Of the key that wrapped it. */
  readonly keyId: string;
  readonly dataKey: Uint8Array;
}

/** Keys of one origin. All of it may take a round trip; faults are `VaultError`s. */
export interface Keys {
  /** Ids of the keys that are configured, the current one first. Of a key server: of the version that wraps, and no other. */
  ids(): Promise<readonly string[]>;
  /** Whether the key with this id is here, as far as can be known without asking. */
  has(keyId: string): Promise<boolean>;
  /** Wraps with the current key. `binding` says what the data key is for. */
  wrap(dataKey: Buffer, binding: string): Promise<WrappedKey>;
  /** Throws `vault.key_missing` naming the key when it is not there, `vault.unreadable` when what is stored is not what was wrapped. */
  unwrap(wrapped: WrappedKey, binding: string): Promise<Buffer>;
}

/** A fault of the keys or of what was stored under them. */
export class VaultError extends AppError {
  override readonly name = 'VaultError';
  /** Never `auth`: trouble with our keys says nothing about anybody's credentials. */
  readonly failure: Exclude<FailureClass, 'auth'>;

  constructor(
    code: `vault.${string}`,
    failure: Exclude<FailureClass, 'auth'>,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(code, failure, message, options);
    this.failure = failure;
  }
}

export function keyMissing(keyId: string): VaultError {
  return new VaultError(
    'vault.key_missing',
    'permanent',
    `the key "${keyId}" that this credential is sealed under is not configured: put it back beside the current one, or give the credential again`,
  );
}

export function unreadable(cause: unknown): VaultError {
  return new VaultError(
    'vault.unreadable',
    'permanent',
    'what is stored of this account cannot be opened, it was changed or is another account’s: give the credential again',
    { cause },
  );
}

/** Keys of several origins as one: the first wraps, and each unwraps its own. */
export function joinKeys(first: Keys, ...others: readonly Keys[]): Keys {
  const all = [first, ...others];
  async function holderOf(keyId: string): Promise<Keys | null> {
    for (const keys of all) if (await keys.has(keyId)) return keys;
    return null;
  }
  return {
    ids: async () => (await Promise.all(all.map((keys) => keys.ids()))).flat(),
    wrap: first.wrap,
    has: async (keyId) => (await holderOf(keyId)) !== null,
    async unwrap(wrapped, binding) {
      const keys = await holderOf(wrapped.keyId);
      if (!keys) throw keyMissing(wrapped.keyId);
      return keys.unwrap(wrapped, binding);
    },
  };
}
