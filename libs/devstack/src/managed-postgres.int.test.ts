/** PostgreSQL as others manage it, with no superuser for us: what the owner of the tables may do decides what an administrator is asked for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDb, type DatabaseUrls, databaseUrlsOf, migrate, openDatabase } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalServer } from './local-server.ts';
import { startPostgres } from './postgres.ts';
import { SCHEMAS } from './schemas.ts';

const logger = createLogger('test', 'silent');
const dir = mkdtempSync(join(tmpdir(), 'mailstream-managed-'));
let postgres: LocalServer;

beforeAll(async () => {
  postgres = await startPostgres({ dir: join(dir, 'postgres'), fsync: false });
});

afterAll(async () => {
  await postgres?.kill();
  rmSync(dir, { recursive: true });
});

/** What an administrator does. */
async function administer(statements: readonly string[]): Promise<void> {
  const admin = createDb({ url: postgres.url, max: 1, applicationName: 'test', logger });
  for (const statement of statements) await admin.query(statement);
  await admin.close();
}

/** A login with a database of its own; returns its URL. */
async function ownerOf(database: string, attributes = ''): Promise<string> {
  await administer([
    `CREATE ROLE ${database}_owner LOGIN PASSWORD '${database}' ${attributes}`,
    `CREATE DATABASE ${database} OWNER ${database}_owner`,
  ]);
  const url = new URL(postgres.url);
  Object.assign(url, { username: `${database}_owner`, password: database, pathname: `/${database}` });
  return url.href;
}

/** Starts a service that finds its database as it is: whom it and the API are logged in as, and how many accounts each sees, of two tenants the API. */
async function start(urls: DatabaseUrls): Promise<string[]> {
  const options = { urls, schemas: SCHEMAS, applicationName: 'test', logger };
  const { db, tenants, close } = await openDatabase(options);
  try {
    await db.query(
      "INSERT INTO view.account (account, tenant, version, provider, name, state) VALUES ('a', 'acme', 1, 'imap', 'ada', 'live')",
    );
    const who = 'SELECT current_user::text AS name, (SELECT count(*)::int FROM view.account) AS accounts';
    const logins = [db, tenants.of('acme'), tenants.of('globex')];
    const seen = await Promise.all(logins.map((sql) => sql.query<{ name: string; accounts: number }>(who)));
    return seen.flat().map(({ name, accounts }) => `${name}: ${accounts}`);
  } finally {
    await close();
  }
}

/** Migrates in vain; returns the statements that the refusal asks an administrator for. */
async function asksFor(owner: string): Promise<string[]> {
  const refusal: unknown = await migrateAll(owner).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ code: 'config.database_role' });
  return String(refusal).match(/(CREATE|GRANT)[^;]+(?=;)/g) ?? [];
}

async function migrateAll(owner: string): Promise<void> {
  for (const schema of SCHEMAS) await migrate(owner, { ...schema, logger });
}

function loginTo(owner: string, name: string): string {
  return Object.assign(new URL(owner), { username: name }).href;
}

describe('the owner of the tables', () => {
  it('that may not make roles asks for them, and then needs nothing more', async () => {
    const owner = await ownerOf('plain');
    const statements = await asksFor(owner);
    expect(statements).toEqual([
      'CREATE ROLE mailstream_service',
      'CREATE ROLE mailstream_api',
      'GRANT mailstream_service TO plain_owner WITH INHERIT TRUE',
    ]);
    await administer(statements);
    await administer([
      "CREATE ROLE worker LOGIN PASSWORD 'plain' IN ROLE mailstream_service",
      "CREATE ROLE asker LOGIN PASSWORD 'plain' IN ROLE mailstream_api",
    ]);
    const urls = { owner, service: loginTo(owner, 'worker'), api: loginTo(owner, 'asker'), derived: false };
    expect(await start(urls)).toEqual(['worker: 1', 'asker: 1', 'asker: 0']);
    await administer(['DROP DATABASE plain WITH (FORCE)', 'DROP ROLE mailstream_service, mailstream_api']);
  });

  it('that may make roles needs nobody, and looks after the logins too', async () => {
    const urls = databaseUrlsOf(await ownerOf('maker', 'CREATEROLE'));
    expect(await start(urls)).toEqual(['mailstream_service: 1', 'mailstream_api: 1', 'mailstream_api: 0']);
  });

  it('that may make roles asks to be a member of one that another installation has made', async () => {
    const owner = await ownerOf('second', 'CREATEROLE');
    const statements = await asksFor(owner);
    expect(statements).toEqual(['GRANT mailstream_service TO second_owner WITH INHERIT TRUE']);
    await administer(statements);
    await expect(start(databaseUrlsOf(owner))).rejects.toMatchObject({
      code: 'config.database_role',
      message: expect.stringContaining('logins of their own'),
    });
  });
});
