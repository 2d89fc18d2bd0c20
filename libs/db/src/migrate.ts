/** Brings a schema up to date: numbered plain `.sql` files, forward only. */
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Logger } from '@mailstream/runtime';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { connected } from './connected.ts';
import { DbError, NOT_ALLOWED } from './errors.ts';
import { ensureRoles } from './roles.ts';

export interface Schema {
  /** The PostgreSQL schema these files make and own; its table `migrations` says which have run. */
  readonly schema: string;
  /** Folder of `0001_what.sql`, `0002_…`; nothing else in it. */
  readonly dir: string;
}

export interface MigrateOptions extends Schema {
  readonly logger: Logger;
}

const TABLE = 'migrations';

/** What the policies of all other schemas are made with. */
const TENANCY: Schema = {
  schema: 'tenancy',
  dir: fileURLToPath(new URL('../migrations', import.meta.url)),
};

/**
 * As the owner of the tables: runs the files that have not run, all in one transaction, with `search_path` set to the schema; returns their
 * names. Several processes may start at once: one works, the others wait for it. Costs a query or two when nothing is to be done.
 */
export async function migrate(url: string, { logger, ...schema }: MigrateOptions): Promise<string[]> {
  return connected(url, `migrate ${schema.schema}`, async (client) => {
    const bringUpToDate = async (each: Schema) => {
      if (await isUpToDate(client, each)) return [];
      await ensureRoles(client);
      return run(client, each, logger);
    };
    await bringUpToDate(TENANCY);
    return bringUpToDate(schema);
  });
}

/** Whether a service can work with it: there is nothing to run, and its login may know that. */
export async function isMigrated(url: string, schema: Schema): Promise<boolean> {
  try {
    return await connected(url, `migrate ${schema.schema}`, (client) => isUpToDate(client, schema));
  } catch (error) {
    if (error instanceof DbError && error.sqlState === NOT_ALLOWED) return false;
    throw error;
  }
}

async function run(client: pg.Client, { schema, dir }: Schema, logger: Logger): Promise<string[]> {
  const done = await runner({
    dbClient: client,
    dir,
    schema,
    createSchema: true,
    migrationsTable: TABLE,
    direction: 'up',
    singleTransaction: true,
    advisoryLockMode: 'wait',
    log: (text) => logger.debug({ schema }, text),
  });
  const names = done.map((migration) => migration.name);
  if (names.length > 0) logger.info({ schema, migrations: names }, 'database schema brought up to date');
  return names;
}

async function isUpToDate(client: pg.Client, { schema, dir }: Schema): Promise<boolean> {
  const table = `${pg.escapeIdentifier(schema)}.${TABLE}`;
  const { rows: found } = await client.query<{ table: string | null }>('SELECT to_regclass($1) AS table', [
    table,
  ]);
  if (found[0]?.table == null) return false;
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${table}`);
  const done = new Set(rows.map((row) => row.name));
  const files = (await readdir(dir)).filter((file) => file.endsWith('.sql'));
  return files.every((file) => done.has(file.slice(0, -'.sql'.length)));
}
