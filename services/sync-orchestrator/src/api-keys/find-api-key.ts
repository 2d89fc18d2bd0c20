/** Whose an API key is: for this service's own API, and for the others, which have no access to the table. */
import type { Bus } from '@mailstream/bus';
import { type ApiKeyReply, ApiKeyRequest, type Scope, subjects } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import type { FindKey, Part } from '@mailstream/runtime';
import Value from 'typebox/value';

interface FoundRow {
  tenant: string;
  prefix: string;
  scopes: Scope[];
  expiresAt: Date | null;
  isUseOld: boolean;
}

/** The one question that is asked before a tenant is known: the key says which. */
export function createFindKey(db: Db): FindKey {
  return async (digest) => {
    const [row] = await db.query<FoundRow>(
      `SELECT tenant, prefix, scopes, expires_at AS "expiresAt",
              coalesce(last_used_at < now() - interval '10 minutes', true) AS "isUseOld"
         FROM control.api_key
        WHERE digest = $1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > now())`,
      [digest],
    );
    if (!row) return null;
    const { isUseOld, expiresAt, ...key } = row;
    if (isUseOld)
      await db.query('UPDATE control.api_key SET last_used_at = now() WHERE prefix = $1', [key.prefix]);
    return { ...key, expiresAt: expiresAt?.toISOString() ?? null };
  };
}

/** Any replica may answer. */
export function createKeyAnswers({ bus, findKey }: { bus: Bus; findKey: FindKey }): Part {
  async function answer(_subject: string, data: Uint8Array): Promise<ApiKeyReply> {
    const { digest } = Value.Parse(ApiKeyRequest, JSON.parse(new TextDecoder().decode(data)));
    const found = await findKey(digest);
    return { key: found && { ...found, scopes: [...found.scopes] } };
  }
  return {
    name: 'API keys',
    run: (signal) => bus.respond(subjects.apiKey, 'orchestrator', answer, signal),
  };
}
