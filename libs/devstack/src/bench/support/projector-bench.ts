/** What the benches of the projector share: NATS, PostgreSQL and the projector, in a directory of their own, as the product runs them. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus } from '@mailstream/bus';
import { createDb, migrate } from '@mailstream/db';
import { createLogger, DEFAULT_TENANT } from '@mailstream/runtime';
import { ensureTokenKey, makeDevToken } from '../../dev-token.ts';
import { startNats } from '../../nats-server.ts';
import { accountsFile, ensureServiceUsers, seedFile } from '../../nats-users.ts';
import { freePort } from '../../ports.ts';
import { startPostgres } from '../../postgres.ts';
import { SCHEMAS } from '../../schemas.ts';
import { startService, type Unit } from '../../stack.ts';

export interface ProjectorBench {
  /** May do everything. */
  readonly bus: Bus;
  /** With a user that may do everything. */
  readonly natsUrl: string;
  /** The login that owns the tables. */
  readonly databaseUrl: string;
  /** For the API: everything in the default tenant. */
  readonly token: string;
  /** Process ids of the servers. */
  readonly servers: { readonly postgres: number; readonly nats: number };
  /** Resolves when it is ready; `more` is environment. */
  startProjector(more?: Readonly<Record<string, string>>): Promise<Unit>;
  stop(): Promise<void>;
}

/** `guarded: false`: anybody may do anything in NATS, and the tables are without row-level security. For nothing but to see what they cost. */
export async function startProjectorBench({ guarded = true } = {}): Promise<ProjectorBench> {
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-bench-'));
  const stops: (() => Promise<void>)[] = [async () => rmSync(dir, { recursive: true, force: true })];
  const stop = async () => {
    for (const one of stops.splice(0).toReversed()) await one();
  };
  try {
    const users = join(dir, 'nats-users');
    ensureServiceUsers(users);
    const postgres = await startPostgres({ dir: join(dir, 'postgres') });
    stops.push(() => postgres.stop());
    if (!guarded) await openTables(postgres.url);
    const nats = await startNats({
      dir: join(dir, 'nats'),
      ...(guarded && { accountsFile: accountsFile(users) }),
    });
    stops.push(() => nats.stop());
    const natsUrl = guarded ? withSeed(nats.url, seedFile(users, 'operator')) : nats.url;
    const bus = await connectBus({ url: natsUrl, name: 'bench' });
    stops.push(() => bus.close());
    await bus.ensureTopology();
    return {
      bus,
      natsUrl,
      databaseUrl: postgres.url,
      token: await makeDevToken(ensureTokenKey(dir), DEFAULT_TENANT),
      servers: { postgres: postgres.child.pid, nats: nats.child.pid },
      stop,
      async startProjector(more = {}) {
        const env = {
          ...more,
          NATS_URL: nats.url,
          DATABASE_URL: postgres.url,
          MAILSTREAM_JWT_KEY_FILE: ensureTokenKey(dir),
          ...(guarded && { NATS_NKEY_SEED_FILE: seedFile(users, 'projector') }),
        };
        const projector = await startService({ name: 'mailbox-projector', dir, port: await freePort(), env });
        stops.push(() => projector.stop());
        return projector;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

function withSeed(serverUrl: string, file: string): string {
  const url = new URL(serverUrl);
  url.username = readFileSync(file, 'utf8').trim();
  return url.href;
}

const OPEN_ALL = `
DO $$ DECLARE t regclass; BEGIN
  FOR t IN SELECT oid FROM pg_class WHERE relrowsecurity AND relkind IN ('r', 'p') LOOP
    EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY, DISABLE ROW LEVEL SECURITY', t);
  END LOOP;
END $$`;

async function openTables(url: string): Promise<void> {
  const logger = createLogger('bench', 'silent');
  for (const schema of SCHEMAS) await migrate(url, { ...schema, logger });
  const db = createDb({ url, max: 1, applicationName: 'bench', logger });
  try {
    await db.query(OPEN_ALL);
  } finally {
    await db.close();
  }
}
