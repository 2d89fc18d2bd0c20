/** Vitest's global set-up: one nats-server and one PostgreSQL for all test files, unless NATS_URL and DATABASE_URL name some. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { externalServers, startNats, startPostgres } from '@mailstream/devstack';
import { shareUrl } from './env.ts';

/** Runs once per project; the second finds the first one's servers. Returns the teardown. */
export async function setup(): Promise<() => Promise<void>> {
  const { natsUrl, databaseUrl } = externalServers();
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-test-'));
  const [nats, postgres] = await Promise.all([
    natsUrl === undefined ? startNats({ dir: join(dir, 'nats') }) : undefined,
    databaseUrl === undefined ? startPostgres({ dir: join(dir, 'postgres'), fsync: false }) : undefined,
  ]);
  if (nats !== undefined) shareUrl('NATS_URL', nats.url);
  if (postgres !== undefined) shareUrl('DATABASE_URL', postgres.url);
  return async () => {
    await Promise.all([nats?.stop(), postgres?.stop()]);
    rmSync(dir, { recursive: true, force: true });
  };
}
