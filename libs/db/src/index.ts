/** The database kit: the only importer of pg. */
export * from './create-db.ts';
export * from './database-urls.ts';
export * from './errors.ts';
export * from './migrate.ts';
export * from './open-database.ts';
export * from './port.ts';
export type { TenantDb, Tenants } from './tenants.ts';
