/** Key-encryption keys that never leave a key server: HashiCorp Vault's transit engine, or what speaks like it. */
import { readFile } from 'node:fs/promises';
import { messageOf, readText } from '@mailstream/runtime';
import { type Static, type TSchema, Type } from 'typebox';
import Value from 'typebox/value';
import { type Keys, keyMissing, unreadable, VaultError, type WrappedKey } from './keys.ts';

export interface TransitConfig {
  /** Without a path, such as `https://vault.example.com:8200`. */
  readonly url: string;
  /** Where the engine is mounted; `transit` by default. */
  readonly mount: string;
  /** Of an authenticated cipher that takes associated data: `aes256-gcm96`, `chacha20-poly1305`. */
  readonly key: string;
  /** Read for each request when it is a file, because its keeper replaces it. */
  readonly token: { readonly text: string } | { readonly file: string };
  readonly namespace: string | null;
  /** How long the server may take, milliseconds. */
  readonly timeoutMs: number;
}

/** An unwrapped data key is remembered so long, milliseconds: mail goes on while the key server is away for a moment, and it is not asked each time. */
const REMEMBER_MS = 5 * 60_000;
const REMEMBERED = 10_000;

/** A wrapped key is a few hundred bytes. */
const LARGEST_ANSWER = 64 * 1024;

const Encrypted = Type.Object({
  data: Type.Object({ ciphertext: Type.String({ pattern: '^vault:v[0-9]+:' }) }),
});
const Decrypted = Type.Object({ data: Type.Object({ plaintext: Type.String() }) });
const Refused = Type.Object({ errors: Type.Array(Type.String()) });

/** `POST /v1/<mount>/encrypt/<key>` and `…/decrypt/<key>` (developer.hashicorp.com, "Transit secrets engine (API)"). A key id names the version. */
export function createTransitKeys(config: TransitConfig): Keys {
  const { mount, key } = config;
  const prefix = `${mount}/${key}:v`;
  const remembered = new Map<string, { readonly dataKey: Buffer; readonly until: number }>();

  async function ask<T extends TSchema>(
    verb: 'encrypt' | 'decrypt',
    keyId: string,
    body: object,
    answer: T,
  ): Promise<Static<T>> {
    const { status, text } = await send(verb, body);
    const said: unknown = parseJson(text);
    if (status !== 200) throw refusal(status, said, keyId, config.url);
    if (Value.Check(answer, said)) return said;
    throw trouble(
      'vault.kms_protocol',
      `the key server at ${config.url} answered in an unexpected way: is MAILSTREAM_KMS_URL right?`,
    );
  }

  async function send(verb: string, body: object): Promise<{ status: number; text: string }> {
    const token = await tokenOf(config);
    try {
      const response = await fetch(`${config.url}/v1/${mount}/${verb}/${encodeURIComponent(key)}`, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'x-vault-request': 'true',
          'x-vault-token': token,
          ...(config.namespace === null ? {} : { 'x-vault-namespace': config.namespace }),
        },
        body: JSON.stringify(body),
        // The token is for this server only.
        redirect: 'manual',
        signal: AbortSignal.timeout(config.timeoutMs),
      });
      return { status: response.status, text: await readText(response, LARGEST_ANSWER) };
    } catch (cause) {
      throw unanswered(cause, config);
    }
  }

  async function wrap(dataKey: Buffer, binding: string): Promise<WrappedKey> {
    const body = { plaintext: dataKey.toString('base64'), associated_data: base64(binding) };
    const { ciphertext } = (await ask('encrypt', prefix, body, Encrypted)).data;
    return { keyId: prefix + versionOf(ciphertext), dataKey: Buffer.from(ciphertext) };
  }

  return {
    wrap,
    has: async (keyId) => keyId.startsWith(prefix),
    // What wraps now shows in what it wrapped: reading the key's description would take one more permission.
    ids: async () => [(await wrap(Buffer.alloc(32), 'mailstream probe')).keyId],
    async unwrap({ keyId, dataKey }, binding) {
      const ciphertext = Buffer.from(dataKey).toString();
      const name = `${binding} ${ciphertext}`;
      const known = remembered.get(name);
      if (known && known.until > Date.now()) return known.dataKey;
      const body = { ciphertext, associated_data: base64(binding) };
      const { plaintext } = (await ask('decrypt', keyId, body, Decrypted)).data;
      const opened = Buffer.from(plaintext, 'base64');
      remembered.delete(name);
      remembered.set(name, { dataKey: opened, until: Date.now() + REMEMBER_MS });
      const [oldest] = remembered.keys();
      if (remembered.size > REMEMBERED && oldest !== undefined) remembered.delete(oldest);
      return opened;
    },
  };
}

async function tokenOf({ token }: TransitConfig): Promise<string> {
  if ('text' in token) return token.text;
  try {
    return (await readFile(token.file, 'utf8')).trim();
  } catch (cause) {
    throw trouble(
      'vault.kms_refused',
      `the token of the key server cannot be read from MAILSTREAM_KMS_TOKEN_FILE: ${messageOf(cause)}`,
      cause,
    );
  }
}

function versionOf(ciphertext: string): string {
  return ciphertext.split(':')[1]?.slice(1) ?? '';
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** It hits all accounts alike and ends when the operator or the server mends it: so it is tried again within minutes, whatever it is. */
function trouble(
  code: 'vault.kms_refused' | 'vault.kms_sealed' | 'vault.kms_unreachable' | 'vault.kms_protocol',
  message: string,
  cause?: unknown,
): VaultError {
  return new VaultError(code, 'network', message, { cause });
}

/** Statuses as Vault's API documents them. Its texts are not repeated: nobody knows what is in them. */
function refusal(status: number, said: unknown, keyId: string, url: string): VaultError {
  const errors = Value.Check(Refused, said) ? said.errors.join('; ') : '';
  if (status === 400 && /too old|too new|key not found/.test(errors)) return keyMissing(keyId);
  if (status === 400 && /ciphertext|authentication failed/.test(errors))
    return unreadable(new Error('the key server could not decrypt it'));
  if (status === 429)
    return new VaultError(
      'vault.kms_throttled',
      'quota',
      `the key server at ${url} was asked too often; it is tried again later`,
    );
  if (status === 503)
    return trouble(
      'vault.kms_sealed',
      `the key server at ${url} is sealed or under maintenance: unseal it; it is tried again`,
    );
  if (status >= 500 || status === 412)
    return trouble(
      'vault.kms_unreachable',
      `the key server at ${url} does not work at the moment (status ${status}); it is tried again`,
    );
  return trouble(
    'vault.kms_refused',
    `the key server at ${url} refuses us (status ${status}): correct MAILSTREAM_KMS_MOUNT, _KEY, _NAMESPACE or its token, which must be allowed to encrypt and decrypt with that key`,
  );
}

function unanswered(cause: unknown, { url, timeoutMs }: TransitConfig): VaultError {
  if (cause instanceof Error && cause.name === 'TimeoutError')
    return new VaultError(
      'vault.kms_timeout',
      'timeout',
      `the key server at ${url} did not answer within ${timeoutMs} ms; it is tried again`,
      { cause },
    );
  return trouble(
    'vault.kms_unreachable',
    `the key server at ${url} cannot be reached; it is tried again`,
    cause,
  );
}
