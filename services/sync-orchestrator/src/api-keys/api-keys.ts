/** API keys as people manage them: made, listed, revoked. */
import type { ApiKey, ApiKeyCreate, ApiKeyCreated, Scope } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { AppError, newApiKey, type Principal } from '@mailstream/runtime';

export interface ApiKeys {
  /** For the caller's tenant. The answer is the only place where the key itself is. Throws `api_key.invalid`. */
  create(by: Principal, request: ApiKeyCreate): Promise<ApiKeyCreated>;
  /** Those that are not revoked, oldest first. */
  list(tenant: string): Promise<ApiKey[]>;
  /** Throws `api_key.unknown`, for another tenant's key too. */
  revoke(tenant: string, prefix: string): Promise<void>;
}

interface ApiKeyRow {
  prefix: string;
  name: string;
  scopes: Scope[];
  createdBy: string;
  createdAt: Date;
  expiresAt: Date | null;
  lastUsedAt: Date | null;
}

const COLUMNS = `prefix, name, scopes, created_by AS "createdBy", created_at AS "createdAt", expires_at AS "expiresAt",
       last_used_at AS "lastUsedAt"`;

export function createApiKeys({ db }: { db: Db }): ApiKeys {
  return {
    async create({ tenant, subject }, { name, scopes, expiresAt = null }) {
      if (expiresAt !== null && Date.parse(expiresAt) <= Date.now())
        throw new AppError('api_key.invalid', 'invalid', 'body/expiresAt is in the past');
      const { text, prefix, digest } = newApiKey();
      const [row] = await db.query<ApiKeyRow>(
        `INSERT INTO control.api_key (prefix, tenant, digest, name, scopes, created_by, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${COLUMNS}`,
        [prefix, tenant, digest, name, scopes, subject, expiresAt],
      );
      if (!row) throw new Error('an inserted row was not returned');
      return { ...toApiKey(row), key: text };
    },

    async list(tenant) {
      const rows = await db.query<ApiKeyRow>(
        `SELECT ${COLUMNS} FROM control.api_key WHERE tenant = $1 AND revoked_at IS NULL ORDER BY created_at, prefix`,
        [tenant],
      );
      return rows.map(toApiKey);
    },

    async revoke(tenant, prefix) {
      const revoked = await db.query(
        'UPDATE control.api_key SET revoked_at = now() WHERE tenant = $1 AND prefix = $2 AND revoked_at IS NULL RETURNING prefix',
        [tenant, prefix],
      );
      if (revoked.length === 0)
        throw new AppError(
          'api_key.unknown',
          'not_found',
          `there is no API key ${prefix}; GET /v1/api-keys lists them`,
        );
    },
  };
}

function toApiKey({ createdAt, expiresAt, lastUsedAt, ...row }: ApiKeyRow): ApiKey {
  return {
    ...row,
    createdAt: createdAt.toISOString(),
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  };
}
