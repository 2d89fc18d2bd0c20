import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@mailstream/runtime';
import { createDatabase, type TestDatabase } from '@mailstream/testing';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createDb } from './create-db.ts';
import { migrate } from './migrate.ts';

const logger = createLogger('test', 'silent');
let database: TestDatabase;
let dir: string;

beforeEach(async () => {
  database = await createDatabase();
  dir = await mkdtemp(join(tmpdir(), 'mailstream-migrate-'));
  await writeFile(join(dir, '0001_shelf.sql'), 'CREATE TABLE shelf (id int);');
});

afterEach(async () => {
  await rm(dir, { recursive: true });
  await database.drop();
});

const run = (schema: string) => migrate(database.url, { schema, dir, logger });

async function tables(): Promise<string[]> {
  const db = createDb({ url: database.url, max: 1, applicationName: 'migrate test', logger });
  const rows = await db.query<{ name: string }>(
    `SELECT schemaname || '.' || tablename AS name FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'tenancy') ORDER BY name`,
  );
  await db.close();
  return rows.map((row) => row.name);
}

it('runs what has not run, in order, and nothing the second time', async () => {
  expect(await run('library')).toEqual(['0001_shelf']);
  expect(await run('library')).toEqual([]);
  await writeFile(join(dir, '0002_book.sql'), 'CREATE TABLE book (id int); ALTER TABLE shelf ADD name text;');
  expect(await run('library')).toEqual(['0002_book']);
  expect(await tables()).toEqual(['library.book', 'library.migrations', 'library.shelf']);
});

it('keeps each schema to itself', async () => {
  await run('library');
  await run('archive');
  expect(await tables()).toEqual([
    'archive.migrations',
    'archive.shelf',
    'library.migrations',
    'library.shelf',
  ]);
});

it('runs once when several processes start together', async () => {
  const results = await Promise.all(Array.from({ length: 6 }, () => run('library')));
  expect(results.flat()).toEqual(['0001_shelf']);
});

it('leaves everything as it was when a file fails', async () => {
  await writeFile(join(dir, '0002_broken.sql'), 'CREATE TABLE book (id int); CREATE TABLE book (id int);');
  await expect(run('library')).rejects.toMatchObject({ kind: 'other', sqlState: '42P07' });
  expect(await tables()).toEqual(['library.migrations']);
});
