import { randomUUID } from 'node:crypto';
import { createDb, type Database, type Db, databaseUrlsOf, openDatabase, type Sql } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { createDatabase, type TestDatabase } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SCHEMAS } from './schemas.ts';

const TENANTS = ['ours', 'theirs'] as const;
type Tenant = (typeof TENANTS)[number];
/** What the roles are no party to: which migrations have run, and the key of the proofs. */
const WITHOUT_TENANTS = [
  'control.migrations',
  'fold.migrations',
  'tenancy.key',
  'fold.rebuild',
  'tenancy.migrations',
  'view.migrations',
];

/** Open to the API, and no tenant's: they say how far the log was read. */
const isNobodys = ({ name }: Table) => ['control.webhook_reader', 'fold.checkpoint'].includes(name);

const logger = createLogger('test', 'silent');
let database: TestDatabase;
let owner: Db;
let opened: Database;
/** The API's login, bound to no tenant. */
let unbound: Db;
const accounts = { ours: randomUUID(), theirs: randomUUID() };
const endpoints = { ours: randomUUID(), theirs: randomUUID() };
const tables: Table[] = [];

interface Column {
  name: string;
  type: string;
  required: boolean;
}

interface Table {
  name: string;
  protected: boolean;
  /** What the API may do in it. */
  api: ('SELECT' | 'INSERT' | 'UPDATE' | 'DELETE')[];
  columns: Column[];
}

const CATALOG = `
SELECT n.nspname || '.' || c.relname AS name, c.relrowsecurity AND c.relforcerowsecurity AS protected,
       ARRAY (SELECT way FROM unnest('{SELECT,INSERT,UPDATE}'::text[]) AS way
               WHERE has_any_column_privilege('mailstream_api', c.oid, way)
               UNION ALL SELECT 'DELETE' WHERE has_table_privilege('mailstream_api', c.oid, 'DELETE')) AS api,
       (SELECT jsonb_agg(jsonb_build_object('name', attname, 'type', format_type(atttypid, NULL),
                 'required', attnotnull AND NOT atthasdef AND attidentity = '') ORDER BY attnum)
          FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped) AS columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'
 ORDER BY name`;

beforeAll(async () => {
  database = await createDatabase();
  const urls = databaseUrlsOf(database.url);
  opened = await openDatabase({ urls, schemas: SCHEMAS, applicationName: 'test', logger });
  unbound = createDb({ url: urls.api, max: 1, applicationName: 'test', logger });
  owner = createDb({ url: database.url, max: 1, applicationName: 'test', logger });
  const all = await owner.query<Table>(CATALOG);
  tables.push(...all.filter(({ name }) => !WITHOUT_TENANTS.includes(name)));
  // What others refer to comes first.
  const first = ['control.webhook_endpoint', 'control.account'];
  const inOrder = [...tables].sort((a, b) => first.indexOf(b.name) - first.indexOf(a.name));
  for (const table of inOrder)
    for (const tenant of isNobodys(table) ? [TENANTS[0]] : TENANTS) await insertRow(owner, table, tenant);
});

afterAll(async () => {
  await Promise.all([owner.close(), unbound.close(), opened.close()]);
  await database.drop();
});

/** A row of a tenant, with the least that it needs. */
async function insertRow(sql: Sql, table: Table, tenant: Tenant): Promise<void> {
  const row = { ...leastOf(table, tenant), ...specialsOf(table.name, tenant) };
  const names = Object.keys(row);
  await sql.query(
    `INSERT INTO ${table.name} (${names.join(', ')}) VALUES (${names.map((_, n) => `$${n + 1}`).join(', ')})`,
    Object.values(row),
  );
}

function leastOf({ columns }: Table, tenant: Tenant): Record<string, unknown> {
  const required = columns.filter(
    ({ required, name }) => required || name === 'account' || name === 'tenant',
  );
  return Object.fromEntries(required.map((column) => [column.name, sampleOf(column, tenant)]));
}

function sampleOf({ name, type }: Column, tenant: Tenant): unknown {
  if (name === 'tenant') return tenant;
  if (name === 'account') return accounts[tenant];
  if (name === 'endpoint') return endpoints[tenant];
  const values: Record<string, unknown> = {
    ...{
      uuid: randomUUID(),
      text: randomUUID(),
      'text[]': [],
      json: '{}',
      jsonb: '{}',
      bytea: Buffer.from(randomUUID()),
    },
    ...{
      boolean: false,
      integer: 0,
      smallint: TENANTS.indexOf(tenant),
      bigint: 0,
      'timestamp with time zone': new Date(),
    },
  };
  if (!(type in values)) throw new Error(`this test has no value for a column of type ${type}`);
  return values[type];
}

function specialsOf(table: string, tenant: Tenant): Record<string, unknown> {
  if (table === 'control.account') return { id: accounts[tenant] };
  if (table === 'control.webhook_endpoint') return { id: endpoints[tenant] };
  if (table !== 'fold.outbox') return {};
  return { relay: 'control', target: 'mail', body: `id\ntype\nmail.00.${tenant}.x.account.added\n{}` };
}

const may = (way: Table['api'][number]) =>
  tables.filter((table) => table.api.includes(way) && !isNobodys(table));
const names = (list: readonly Table[]) => list.map(({ name }) => name);
const countIn = async (sql: Sql, { name }: Table) =>
  Number((await sql.query<{ n: bigint }>(`SELECT count(*) AS n FROM ${name}`))[0]?.n);

class Undo extends Error {}
/** How many rows a statement changes; none afterwards. */
async function changedBy(statement: string): Promise<number> {
  let changed = -1;
  const undone = opened.tenants.of('ours').tx(async (tx) => {
    changed = Number(
      (await tx.query<{ n: bigint }>(`WITH done AS (${statement}) SELECT count(*) AS n FROM done`))[0]?.n,
    );
    throw new Undo();
  });
  await expect(undone).rejects.toThrow(Undo);
  return changed;
}

describe('every table there is', () => {
  it('is under row-level security, for its owner too', () => {
    expect(names(tables.filter((table) => !table.protected))).toEqual([]);
    expect(names(tables)).toEqual(
      expect.arrayContaining(['control.credential', 'fold.outbox', 'view.message']),
    );
  });

  it('shows the API the rows of the tenant it is bound to, and services all', async () => {
    for (const table of may('SELECT')) {
      expect([table.name, await countIn(opened.tenants.of('ours'), table)]).toEqual([table.name, 1]);
      expect([table.name, await countIn(opened.tenants.of('nobody'), table)]).toEqual([table.name, 0]);
      expect([table.name, await countIn(opened.db, table)]).toEqual([table.name, 2]);
    }
  });

  it.each([
    ['nothing', null],
    ['an empty text', ''],
    ["a tenant's name without a proof", 'ours'],
    ['a made-up proof', `${'0'.repeat(64)}ours`],
  ])('shows the API no row when its transaction is bound to %s', async (_what, value) => {
    for (const table of may('SELECT')) {
      const seen = unbound.tx(async (tx) => {
        if (value !== null) await tx.query("SELECT set_config('mailstream.tenant', $1, true)", [value]);
        return countIn(tx, table);
      });
      expect([table.name, await seen]).toEqual([table.name, 0]);
    }
  });

  it('refuses what the API would write for another tenant', async () => {
    for (const table of may('INSERT')) {
      const written = opened.tenants.of('ours').tx((tx) => insertRow(tx, table, 'theirs'));
      await expect(written, table.name).rejects.toMatchObject({ sqlState: '42501' });
    }
    for (const { name, columns } of may('UPDATE').filter(({ columns }) =>
      columns.some((column) => column.name === 'tenant'),
    )) {
      const given = opened.tenants.of('ours').query(`UPDATE ${name} SET tenant = 'theirs'`);
      await expect(given, name + columns.length).rejects.toMatchObject({ sqlState: '42501' });
    }
  });

  it('lets statements without a condition change and delete the rows of the tenant alone', async () => {
    const settable: Record<string, string> = {
      'control.api_key': 'revoked_at = now()',
      'control.account': 'name = name',
      'control.webhook_endpoint': 'name = name',
    };
    for (const { name } of may('UPDATE'))
      expect([
        name,
        await changedBy(`UPDATE ${name} SET ${settable[name] ?? 'account = account'} RETURNING 1`),
      ]).toEqual([name, 1]);
    for (const { name } of may('DELETE'))
      expect([name, await changedBy(`DELETE FROM ${name} RETURNING 1`)]).toEqual([name, 1]);
  });
});

describe('a statement that somebody brought into a call of the API', () => {
  it.each([
    ['become the role of services', 'SET ROLE mailstream_service'],
    ['become another login', 'SET SESSION AUTHORIZATION mailstream_service'],
    ['do without row-level security', 'SET LOCAL row_security = off; SELECT name FROM control.account'],
    ['switch it off', 'ALTER TABLE view.message NO FORCE ROW LEVEL SECURITY'],
    ['make a policy', 'CREATE POLICY mine ON view.message USING (true)'],
    ['have one made', "CALL tenancy.protect('view.message', 'SELECT', 'true')"],
    ['read the key of the proofs', 'SELECT secret FROM tenancy.key'],
    ['read sealed credentials', 'SELECT sealed FROM control.credential'],
    ['read digests of API keys', 'SELECT digest FROM control.api_key'],
    ['let the audit trail expire', 'SELECT control.expire_audit(30)'],
    ['read what is to be told', 'SELECT body FROM fold.outbox'],
  ])('cannot %s', async (_what, statement) => {
    await expect(opened.tenants.of('ours').query(statement)).rejects.toMatchObject({ sqlState: '42501' });
  });

  it('cannot bind its transaction, or the next one of the connection, to another tenant', async () => {
    const tenantsSeen = (sql: Sql) => sql.query('SELECT tenant FROM control.account');
    for (const local of [true, false]) {
      const other =
        "set_config('mailstream.tenant', left(current_setting('mailstream.tenant'), 64) || 'theirs'";
      await opened.tenants.of('ours').tx(async (tx) => {
        expect(await tenantsSeen(tx)).toEqual([{ tenant: 'ours' }]);
        await tx.query(`SELECT ${other}, ${local})`);
        expect(await tenantsSeen(tx)).toEqual([]);
      });
      expect(await tenantsSeen(opened.tenants.of('theirs'))).toEqual([{ tenant: 'theirs' }]);
    }
  });
});

it('the roles have no power beyond their grants', async () => {
  const roles = await owner.query(
    `SELECT rolname AS name, rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication AS powerful,
            EXISTS (SELECT FROM pg_class WHERE relowner = r.oid) AS owns,
            EXISTS (SELECT FROM pg_auth_members WHERE member = r.oid) AS "isMember"
       FROM pg_roles r WHERE rolname IN ('mailstream_api', 'mailstream_service') ORDER BY name`,
  );
  const weak = { powerful: false, owns: false, isMember: false };
  expect(roles).toEqual([
    { name: 'mailstream_api', ...weak },
    { name: 'mailstream_service', ...weak },
  ]);
});
