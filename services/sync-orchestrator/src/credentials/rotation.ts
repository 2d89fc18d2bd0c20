/** Wraps data keys again with the current key-encryption key: a batch at a time, while everything goes on. */
import type { KeyStatus, KeysRotate, KeysRotated } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { createTurns } from '@mailstream/runtime';
import { VaultError, type WrappedKey } from './keys.ts';
import type { Vault } from './vault.ts';

const BATCH = 200;
/** Data keys wrapped at a time: each is two questions to a key server. */
const AT_ONCE = 8;

const BEHIND = `
SELECT account, key_id AS "keyId", data_key AS "dataKey" FROM control.credential
 WHERE key_id <> $1 AND ($2::uuid IS NULL OR account > $2) ORDER BY account LIMIT $3`;

/** Whoever stores another credential meanwhile takes another data key, and the current key: then there is nothing to do. */
const EXCHANGE = `
UPDATE control.credential SET key_id = $3, data_key = $4 WHERE account = $1 AND data_key = $2 RETURNING account`;

const IN_USE = `
SELECT key_id AS id, count(*)::int AS "inUse"
  FROM (SELECT key_id FROM control.credential UNION ALL SELECT key_id FROM control.consent WHERE expires_at > $1) used
 GROUP BY key_id ORDER BY key_id`;

interface Behind extends WrappedKey {
  readonly account: string;
}
type Failed = KeysRotated['failed'][number];

export interface Rotation {
  status(): Promise<KeyStatus[]>;
  /**
   * One batch. Nothing is remembered between two of them: whoever stops can begin again, and what is done is done. Throws the `VaultError` of a
   * key server that cannot be asked; what only one credential suffers from is in `failed`.
   */
  rotate(how: KeysRotate): Promise<KeysRotated>;
}

export function createRotation({ db, vault }: { db: Db; vault: Vault }): Rotation {
  const turns = createTurns(AT_ONCE);

  async function rewrap({ account, keyId, dataKey }: Behind): Promise<Failed | boolean> {
    try {
      const fresh = await vault.rewrap({ kind: 'credential', of: account }, { keyId, dataKey });
      return (await db.query(EXCHANGE, [account, dataKey, fresh.keyId, fresh.dataKey])).length === 1;
    } catch (error) {
      if (!(error instanceof VaultError) || error.failure !== 'permanent') throw error;
      return { account, key: keyId, code: error.code, message: error.message };
    }
  }

  return {
    async status() {
      const [configured, used] = await Promise.all([
        vault.ids(),
        db.query<{ id: string; inUse: number }>(IN_USE, [new Date()]),
      ]);
      const inUse = new Map(used.map((row) => [row.id, row.inUse]));
      const ids = new Set([...configured, ...inUse.keys()]);
      return Promise.all(
        [...ids].map(async (id) => ({
          id,
          current: id === configured[0],
          configured: await vault.has(id),
          inUse: inUse.get(id) ?? 0,
        })),
      );
    },

    async rotate({ after, limit = BATCH }) {
      const [current = ''] = await vault.ids();
      const behind = await db.query<Behind>(BEHIND, [current, after ?? null, limit]);
      const outcomes = await Promise.all(behind.map((one) => turns(() => rewrap(one))));
      return {
        current,
        rewrapped: outcomes.filter((outcome) => outcome === true).length,
        failed: outcomes.filter((outcome) => typeof outcome === 'object'),
        next: behind.length < limit ? null : (behind.at(-1)?.account ?? null),
      };
    },
  };
}
