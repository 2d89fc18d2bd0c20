/** Credentials that were stored before there were data keys: sealed once more when the orchestrator starts. */
import type { Db } from '@mailstream/db';
import type { Logger } from '@mailstream/runtime';
import type { NamedKey } from './local-keys.ts';
import { openBytes } from './sealing.ts';
import type { Vault } from './vault.ts';

/**
 * They were sealed directly under one of `keys`. What none of them opens stays as it is, and asks for a key with an empty name when it is used.
 * Safe to repeat and to run twice at once.
 */
export async function upgradeFirstFormat(deps: {
  readonly db: Db;
  readonly vault: Vault;
  readonly keys: readonly NamedKey[];
  readonly logger: Logger;
}): Promise<void> {
  const { db, vault, keys, logger } = deps;
  const rows = await db.query<{ account: string; sealed: Uint8Array }>(
    `SELECT account, sealed FROM control.credential WHERE key_id = ''`,
  );
  for (const { account, sealed } of rows) {
    const value = openAny(keys, account, sealed);
    if (value === undefined) {
      logger.error(
        { account },
        'a stored credential opens under no configured key: give it again, or its key back',
      );
      continue;
    }
    const { keyId, dataKey, sealed: fresh } = await vault.seal({ kind: 'credential', of: account }, value);
    await db.query(
      `UPDATE control.credential SET key_id = $2, data_key = $3, sealed = $4 WHERE account = $1 AND key_id = ''`,
      [account, keyId, dataKey, fresh],
    );
  }
}

/** A format byte, then nonce, tag and ciphertext, bound to the account's id. */
function openAny(keys: readonly NamedKey[], account: string, sealed: Uint8Array): unknown {
  for (const { key } of keys) {
    try {
      return JSON.parse(openBytes(key, sealed.subarray(1), account).toString('utf8'));
    } catch {
      // Under another key, then.
    }
  }
  return undefined;
}
