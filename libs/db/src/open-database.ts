/** Opens the database for a service: its schemas up to date, its two pools of connections known to be bound by row-level security. */
import { AppError, type Logger, type Metrics } from '@mailstream/runtime';
import { createDb } from './create-db.ts';
import type { DatabaseUrls } from './database-urls.ts';
import { ensureLogin } from './logins.ts';
import { isMigrated, migrate, type Schema } from './migrate.ts';
import type { Db } from './port.ts';
import { requireRole } from './roles.ts';
import { createTenants, readTenantProof, type Tenants } from './tenants.ts';

export interface OpenDatabaseOptions {
  readonly urls: DatabaseUrls;
  /** All that the service works with. */
  readonly schemas: readonly Schema[];
  readonly applicationName: string;
  /** Where statements find tables that they name without a schema. */
  readonly schema?: string;
  readonly logger: Logger;
  readonly metrics?: Metrics;
}

export interface Database {
  /** For what the service does by itself, for all tenants. */
  readonly db: Db;
  /** For what a caller asks for. */
  readonly tenants: Tenants;
  close(): Promise<void>;
}

/** Connections at once, of each kind. */
const SERVICE_MAX = 20;
const API_MAX = 10;

/** Throws `config.schema_outdated` or `config.database_role` with what to do. */
export async function openDatabase(options: OpenDatabaseOptions): Promise<Database> {
  const { urls, applicationName, logger, schema, metrics } = options;
  const shared = { logger, ...(metrics && { metrics }), ...(schema !== undefined && { schema }) };
  await bringUpToDate(options);
  const db = createDb({ ...shared, url: urls.service, max: SERVICE_MAX, applicationName });
  const api = createDb({ ...shared, url: urls.api, max: API_MAX, applicationName: `${applicationName} API` });
  const close = async () => void (await Promise.all([db.close(), api.close()]));
  try {
    const schemas = options.schemas.map(({ schema }) => schema);
    await requireRole(db, { role: 'mailstream_service', setting: 'DATABASE_URL', schemas });
    await requireRole(api, { role: 'mailstream_api', setting: 'API_DATABASE_URL', schemas });
    return { db, tenants: createTenants(api, await readTenantProof(db)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** What `openDatabase` does first, and all that `mailstream migrate` does. */
export async function bringUpToDate({
  urls: { owner, service, api, derived },
  schemas,
  logger,
}: Pick<OpenDatabaseOptions, 'urls' | 'schemas' | 'logger'>): Promise<void> {
  for (const schema of schemas) {
    if (owner !== null) await migrate(owner, { ...schema, logger });
    else if (!(await isMigrated(service, schema)))
      throw new AppError(
        'config.schema_outdated',
        'permanent',
        `the schema ${schema.schema} is not up to date, or closed to the login in DATABASE_URL: run \`npm run mailstream -- migrate\` with the owner of the tables in MIGRATION_DATABASE_URL, and GRANT mailstream_service to that login`,
      );
  }
  if (owner !== null && derived) for (const url of [service, api]) await ensureLogin(owner, url);
}
