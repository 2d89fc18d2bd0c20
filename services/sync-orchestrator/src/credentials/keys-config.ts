/** Which key-encryption keys there are, as the environment says. */
import { AppError, type EnvReader, type Logger } from '@mailstream/runtime';
import { joinKeys, type Keys } from './keys.ts';
import { createLocalKeys, type NamedKey, parseKeys, readKeyFile } from './local-keys.ts';
import { createTransitKeys, type TransitConfig } from './transit-keys.ts';

export interface KeysConfig {
  readonly text: string | null;
  readonly file: string | null;
  readonly transit: TransitConfig | null;
}

export function readKeysConfig(env: EnvReader): KeysConfig {
  return {
    text: env.optional('MAILSTREAM_KEY'),
    file: env.optional('MAILSTREAM_KEY_FILE'),
    transit: env.optional('MAILSTREAM_KMS_URL') === null ? null : readTransit(env),
  };
}

function readTransit(env: EnvReader): TransitConfig {
  const file = env.optional('MAILSTREAM_KMS_TOKEN_FILE');
  return {
    url: env.url('MAILSTREAM_KMS_URL', 'https://vault.example.com:8200'),
    mount: env.string('MAILSTREAM_KMS_MOUNT', 'transit'),
    key: env.string('MAILSTREAM_KMS_KEY', 'mailstream'),
    token: file === null ? { text: env.string('MAILSTREAM_KMS_TOKEN') } : { file },
    namespace: env.optional('MAILSTREAM_KMS_NAMESPACE'),
    timeoutMs: env.integer('MAILSTREAM_KMS_TIMEOUT_MS', 5_000, { min: 100, max: 60_000 }),
  };
}

/**
 * All keys as one, and those that are known here by themselves. A key server comes first where there is one, and local keys then only open what
 * was sealed before; text comes before a file. Throws `config.key`.
 */
export async function openKeys(
  { text, file, transit }: KeysConfig,
  logger: Logger,
): Promise<{ readonly keys: Keys; readonly local: readonly NamedKey[] }> {
  const read = await readLocal({ text, file }, logger);
  const local = read && createLocalKeys(read);
  const all = [...(transit ? [createTransitKeys(transit)] : []), ...(local ? [local] : [])];
  const [first, ...others] = all;
  if (!first)
    throw new AppError(
      'config.key',
      'permanent',
      'set MAILSTREAM_KEY (32 bytes, base64), MAILSTREAM_KEY_FILE or MAILSTREAM_KMS_URL',
    );
  return { keys: joinKeys(first, ...others), local: read ? await read() : [] };
}

async function readLocal({ text, file }: Pick<KeysConfig, 'text' | 'file'>, logger: Logger) {
  if (text === null) return file === null ? null : readKeyFile(file, logger);
  const keys = parseKeys(text);
  return async () => keys;
}
