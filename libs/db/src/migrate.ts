/** Brings a schema up to date: numbered plain `.sql` files, forward only. */
import { readdir } from 'node:fs/promises';
import type { Logger } from '@mailstream/runtime';
import { runner } from 'node-pg-migrate';
import pg from 'pg';
import { connectionString } from './connection.ts';
import { dbErrorOf } from './errors.ts';

export interface MigrateOptions {
  /** The PostgreSQL schema these files make and own; its table `migrations` says which have run. */
  readonly schema: string;
  /** Folder of `0001_what.sql`, `0002_…`; nothing else in it. */
  readonly dir: string;
  readonly logger: Logger;
}

const TABLE = 'migrations';

/**
 * Runs the files that have not run, all in one transaction, with `search_path` set to the schema; returns their names. Several processes may
 * start at once: one works, the others wait for it. Costs one query when nothing is to be done.
 */
export async function migrate(url: string, { schema, dir, logger }: MigrateOptions): Promise<string[]> {
  const client = new pg.Client({
    connectionString: connectionString(url),
    application_name: `migrate ${schema}`,
  });
  // Unheard, the loss of the connection between two statements would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect().catch((error: unknown) => {
      throw dbErrorOf(error);
    });
    if (await isUpToDate(client, schema, dir)) return [];
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
  } catch (error) {
    throw error instanceof pg.DatabaseError ? dbErrorOf(error) : error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function isUpToDate(client: pg.Client, schema: string, dir: string): Promise<boolean> {
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
