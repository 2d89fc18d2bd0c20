/** The database as one tenant sees it: every statement in a transaction that is bound to the tenant, whatever the statement says. */
import { createHash } from 'node:crypto';
import type { Db, Sql } from './port.ts';

/** Of another tenant it sees nothing, and what would write there is refused (`other`, SQLSTATE 42501). */
export type TenantDb = Omit<Db, 'close'>;

export interface Tenants {
  of(tenant: string): TenantDb;
}

/** `db` logs in as `mailstream_api`, which sees nothing in transactions that are not bound. `proof` is of `readTenantProof`. */
export function createTenants(db: Db, proof: TenantProof): Tenants {
  return {
    of(tenant) {
      const tx: Db['tx'] = (work, mode) =>
        db.tx(async (tx) => {
          await tx.query("SELECT set_config('mailstream.tenant', $1, true)", [proof(tenant)]);
          return work(tx);
        }, mode);
      return { tx, query: (text, values) => tx((bound) => bound.query(text, values)) };
    },
  };
}

/** What `mailstream.tenant` must be for a tenant (libs/db/migrations/0001_tenancy.sql). */
export type TenantProof = (tenant: string) => string;

/** The key is in a table that `mailstream_service` may read, and `mailstream_api` may not. */
export async function readTenantProof(service: Sql): Promise<TenantProof> {
  const [key] = await service.query<{ secret: Uint8Array }>('SELECT secret FROM tenancy.key');
  if (!key) throw new Error('tenancy.key has no row: restore it, or insert a new one with its default');
  const hash = (data: string | Uint8Array) => createHash('sha256').update(key.secret).update(data).digest();
  return (tenant) => hash(hash(tenant)).toString('hex') + tenant;
}
