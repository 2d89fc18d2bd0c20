/** A database as the README tells operators to set it up: an owner who is nobody special, and a login for each role. */
import { randomBytes } from 'node:crypto';
import { createDb, type Database, type Db, openDatabase } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { createDatabase, type TestDatabase } from '@mailstream/testing';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { SCHEMAS } from '../../schemas.ts';
import { migrate } from './migrate.ts';

const logger = createLogger('test', 'silent');
const suffix = randomBytes(4).toString('hex');
const logins = {
  owner: `owner_${suffix}`,
  service: `service_${suffix}`,
  api: `api_${suffix}`,
  bypass: `bypass_${suffix}`,
  nobody: `nobody_${suffix}`,
};
let database: TestDatabase;
let admin: Db;
let opened: Database | undefined;

const urlOf = (login: keyof typeof logins) => {
  const url = new URL(database.url);
  url.username = logins[login];
  url.password = 'secret';
  return url.href;
};
const open = (urls: { service: string; api: string }) =>
  openDatabase({
    urls: { owner: null, derived: false, ...urls },
    schemas: SCHEMAS,
    applicationName: 'test',
    logger,
  });

beforeAll(async () => {
  database = await createDatabase();
  admin = createDb({ url: database.url, max: 1, applicationName: 'test', logger });
  // Of the whole server: another test may have been faster.
  for (const role of ['mailstream_service', 'mailstream_api'])
    await admin.query(
      `DO $$ BEGIN CREATE ROLE ${role}; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$`,
    );
  for (const login of Object.values(logins))
    await admin.query(`CREATE ROLE ${login} LOGIN PASSWORD 'secret'`);
  await admin.query(`ALTER DATABASE ${new URL(database.url).pathname.slice(1)} OWNER TO ${logins.owner}`);
  await admin.query(`ALTER ROLE ${logins.bypass} BYPASSRLS`);
});

afterAll(async () => {
  await opened?.close();
  const server = new URL(database.url);
  server.pathname = '/postgres';
  await admin.close();
  await database.drop();
  const elsewhere = createDb({ url: server.href, max: 1, applicationName: 'test', logger });
  await elsewhere.query(`DROP ROLE ${Object.values(logins).join(', ')}`);
  await elsewhere.close();
  vi.unstubAllEnvs();
});

async function run(): Promise<string[]> {
  const lines: string[] = [];
  const unused = () => {
    throw new Error('not needed');
  };
  const context = { stack: unused, api: unused, note: unused, width: 80, signal: AbortSignal.any([]) };
  await migrate.run([], { ...context, out: (line) => lines.push(line) });
  return lines;
}

it('is for an owner who is a member of the role of services', async () => {
  vi.stubEnv('MIGRATION_DATABASE_URL', urlOf('owner'));
  await expect(run()).rejects.toThrow('GRANT mailstream_service TO');
  await admin.query(`GRANT mailstream_service TO ${logins.owner}, ${logins.service}, ${logins.bypass}`);
  await admin.query(`GRANT mailstream_api TO ${logins.api}`);
  await expect(open({ service: urlOf('service'), api: urlOf('api') })).rejects.toMatchObject({
    code: 'config.schema_outdated',
    message: expect.stringContaining('npm run mailstream -- migrate'),
  });
  expect(await run()).toEqual([
    expect.stringContaining('fold: 0001_fold'),
    expect.stringContaining('view: 0001_view'),
    expect.stringContaining('control: 0001_control'),
  ]);
  expect(await run()).toEqual(['fold: up to date', 'view: up to date', 'control: up to date']);
  opened = await open({ service: urlOf('service'), api: urlOf('api') });
});

it('is said to be missing to a login that has no part in it', async () => {
  await expect(open({ service: urlOf('nobody'), api: urlOf('api') })).rejects.toMatchObject({
    code: 'config.schema_outdated',
    message: expect.stringContaining('GRANT mailstream_service to that login'),
  });
});

it('leaves services and tenants what they need', async () => {
  const [db, ours] = [opened?.db, opened?.tenants.of('ours')];
  await ours?.query(
    `INSERT INTO control.audit (id, tenant, actor, action, detail, at)
     VALUES (gen_random_uuid(), 'ours', 'ada', 'keys.rotated', '{}', now() - interval '31 days')`,
  );
  expect(await opened?.tenants.of('theirs').query('SELECT actor FROM control.audit')).toEqual([]);
  expect(await ours?.query('SELECT actor FROM control.audit')).toEqual([{ actor: 'ada' }]);
  // Done as the owner, who is bound by row-level security too.
  expect(await db?.query('SELECT control.expire_audit(30) AS expired')).toEqual([{ expired: 1n }]);
});

it.each([
  ['a service', 'superuser', 'is not bound by row-level security'],
  ['a service', 'bypass', 'is not bound by row-level security'],
  ['a service', 'owner', 'owns the tables'],
  ['the API', 'superuser', 'is not bound by row-level security'],
  ['the API', 'owner', 'owns the tables'],
  ['the API', 'nobody', 'is no member of mailstream_api'],
  ['the API', 'service', 'is a member of mailstream_service too'],
] as const)('%s does not start with the login %s', async (who, login, fault) => {
  const url = login === 'superuser' ? database.url : urlOf(login);
  const urls = { service: urlOf('service'), api: urlOf('api') };
  await expect(
    open(who === 'a service' ? { ...urls, service: url } : { ...urls, api: url }),
  ).rejects.toMatchObject({
    code: 'config.database_role',
    message: expect.stringMatching(
      new RegExp(`^${who === 'a service' ? '' : 'API_'}DATABASE_URL .*${fault}`),
    ),
  });
});
