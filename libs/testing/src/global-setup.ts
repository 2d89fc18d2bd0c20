/** Vitest's global set-up: one nats-server and one PostgreSQL for all test files, unless NATS_URL and DATABASE_URL name some. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ensureDovecot,
  externalServers,
  isCi,
  type LocalServer,
  startNats,
  startPostgres,
} from '@mailstream/devstack';
import { inContainers, shareDovecot, shareUrl } from './env.ts';

/** Runs once per project; the second finds the first one's servers. Returns the teardown. */
export async function setup(): Promise<() => Promise<void>> {
  const { natsUrl, databaseUrl } = externalServers();
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-test-'));
  const containers = inContainers() ? await import('./containers.ts') : null;
  const started: Pick<LocalServer, 'stop'>[] = [];
  const teardown = async () => {
    await Promise.all(started.map((server) => server.stop()));
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    if (natsUrl === undefined) {
      const start = containers?.startNatsContainer ?? startNats;
      const nats = await start({ dir: join(dir, 'nats'), onProgress: console.error });
      started.push(nats);
      shareUrl('NATS_URL', nats.url);
    }
    if (databaseUrl === undefined) {
      const local = () => startPostgres({ dir: join(dir, 'postgres'), fsync: false });
      const postgres = await (containers?.startPostgresContainer ?? local)();
      started.push(postgres);
      shareUrl('DATABASE_URL', postgres.url);
    }
    shareDovecot(await canRunDovecot());
    return teardown;
  } catch (error) {
    await teardown();
    throw error;
  }
}

/** A laptop without Dovecot skips those tests and says so; in CI that would hide a failure. */
async function canRunDovecot(): Promise<boolean> {
  try {
    await ensureDovecot(console.error);
    return true;
  } catch (error) {
    if (isCi()) throw error;
    console.error(
      `tests against a real IMAP server are skipped: ${error instanceof Error ? error.message : error}`,
    );
    return false;
  }
}
