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
SELECT kind, of, key_id AS "keyId", data_key AS "dataKey"
  FROM (SELECT 'credential' AS kind, account AS of, key_id, data_key FROM control.credential
        UNION ALL SELECT 'webhook', id, key_id, data_key FROM control.webhook_endpoint) sealed
 WHERE key_id <> $1 AND ($2::uuid IS NULL OR of > $2) ORDER BY of LIMIT $3`;

/** Whoever stores another credential meanwhile takes another data key, and the current key: then there is nothing to do. */
const EXCHANGE = {
  credential:
    'UPDATE control.credential SET key_id = $3, data_key = $4 WHERE account = $1 AND data_key = $2 RETURNING account',
  webhook:
    'UPDATE control.webhook_endpoint SET key_id = $3, data_key = $4 WHERE id = $1 AND data_key = $2 RETURNING id',
} as const;

const IN_USE = `
SELECT key_id AS id, count(*)::int AS "inUse"
  FROM (SELECT key_id FROM control.credential UNION ALL SELECT key_id FROM control.webhook_endpoint
        UNION ALL SELECT key_id FROM control.consent WHERE expires_at > $1) used
 GROUP BY key_id ORDER BY key_id`;

interface Behind extends WrappedKey {
  readonly kind: 'credential' | 'webhook';
  /** The account, or the endpoint. */
  readonly of: string;
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

  async function rewrap({ kind, of, keyId, dataKey }: Behind): Promise<Failed | boolean> {
    try {
      const fresh = await vault.rewrap({ kind, of }, { keyId, dataKey });
      return (await db.query(EXCHANGE[kind], [of, dataKey, fresh.keyId, fresh.dataKey])).length === 1;
    } catch (error) {
      if (!(error instanceof VaultError) || error.failure !== 'permanent') throw error;
      return { account: of, key: keyId, code: error.code, message: error.message };
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
        next: behind.length < limit ? null : (behind.at(-1)?.of ?? null),
      };
    },
  };
}
