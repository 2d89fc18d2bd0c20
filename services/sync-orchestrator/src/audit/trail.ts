/** The audit trail: written in the transaction of what it tells of, read by tenant. */
import { type AuditAction, type AuditEntry, uuidv7 } from '@mailstream/contracts';
import type { Sql } from '@mailstream/db';

/** Who asked for something, and from where. */
export interface Caller {
  readonly tenant: string;
  /** The subject of the token or the API key; for what nobody asked for, the service. */
  readonly actor: string;
  readonly ip: string | null;
  readonly requestId: string | null;
}

export interface Deed {
  readonly action: AuditAction;
  readonly account?: string;
  /** Never anything secret. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

const INSERT = `
INSERT INTO control.audit (id, tenant, actor, action, account, ip, request_id, detail)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`;

/** In the caller's transaction where there is one: then nothing happens without its row, and no row tells of what did not happen. */
export async function recordDeed(
  sql: Sql,
  by: Caller,
  { action, account, detail = {} }: Deed,
): Promise<void> {
  const { tenant, actor, ip, requestId } = by;
  await sql.query(INSERT, [
    uuidv7(),
    tenant,
    actor,
    action,
    account ?? null,
    ip,
    requestId,
    JSON.stringify(detail),
  ]);
}

export interface AuditQuery {
  readonly account?: string;
  readonly action?: AuditAction;
  readonly actor?: string;
  /** The id of the last entry of the page before. */
  readonly after?: string;
  readonly limit: number;
}

const SELECT = `
SELECT id, at, actor, action, account, ip, request_id AS "requestId", detail FROM control.audit
 WHERE tenant = $1 AND ($2::uuid IS NULL OR account = $2) AND ($3::text IS NULL OR action = $3)
   AND ($4::text IS NULL OR actor = $4) AND ($5::uuid IS NULL OR id < $5)
 ORDER BY id DESC LIMIT $6`;

/** Newest first. */
export async function readTrail(sql: Sql, tenant: string, query: AuditQuery): Promise<AuditEntry[]> {
  const { account = null, action = null, actor = null, after = null, limit } = query;
  const rows = await sql.query<Omit<AuditEntry, 'at'> & { at: Date }>(SELECT, [
    tenant,
    account,
    action,
    actor,
    after,
    limit,
  ]);
  return rows.map((row) => ({ ...row, at: row.at.toISOString() }));
}
