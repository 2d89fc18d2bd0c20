/** API keys as people manage them: made, listed, revoked. */
import type { ApiKey, ApiKeyCreate, ApiKeyCreated, Scope } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import { AppError, newApiKey } from '@mailstream/runtime';
import { type Caller, recordDeed } from '../audit/trail.ts';

export interface ApiKeys {
  /** For the caller's tenant. The answer is the only place where the key itself is. Throws `api_key.invalid`. */
  create(by: Caller, request: ApiKeyCreate): Promise<ApiKeyCreated>;
  /** Those that are not revoked, oldest first. */
  list(tenant: string): Promise<ApiKey[]>;
  /** Throws `api_key.unknown`, for another tenant's key too. */
  revoke(by: Caller, prefix: string): Promise<void>;
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

export function createApiKeys({ tenants }: { tenants: Tenants }): ApiKeys {
  return {
    async create(by, { name, scopes, expiresAt = null }) {
      if (expiresAt !== null && Date.parse(expiresAt) <= Date.now())
        throw new AppError('api_key.invalid', 'invalid', 'body/expiresAt is in the past');
      const { text, prefix, digest } = newApiKey();
      const row = await tenants.of(by.tenant).tx(async (tx) => {
        const [inserted] = await tx.query<ApiKeyRow>(
          `INSERT INTO control.api_key (prefix, tenant, digest, name, scopes, created_by, expires_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${COLUMNS}`,
          [prefix, by.tenant, digest, name, scopes, by.actor, expiresAt],
        );
        await recordDeed(tx, by, { action: 'api_key.created', detail: { prefix, name, scopes } });
        return inserted;
      });
      if (!row) throw new Error('an inserted row was not returned');
      return { ...toApiKey(row), key: text };
    },

    async list(tenant) {
      const rows = await tenants
        .of(tenant)
        .query<ApiKeyRow>(
          `SELECT ${COLUMNS} FROM control.api_key WHERE tenant = $1 AND revoked_at IS NULL ORDER BY created_at, prefix`,
          [tenant],
        );
      return rows.map(toApiKey);
    },

    async revoke(by, prefix) {
      const revoked = await tenants.of(by.tenant).tx(async (tx) => {
        const rows = await tx.query(
          'UPDATE control.api_key SET revoked_at = now() WHERE tenant = $1 AND prefix = $2 AND revoked_at IS NULL RETURNING prefix',
          [by.tenant, prefix],
        );
        if (rows.length > 0) await recordDeed(tx, by, { action: 'api_key.revoked', detail: { prefix } });
        return rows.length > 0;
      });
      if (!revoked)
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
