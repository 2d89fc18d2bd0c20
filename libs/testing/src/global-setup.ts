/** Vitest's global set-up: one nats-server and one PostgreSQL for all test files, unless NATS_URL and DATABASE_URL name some. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureDovecot, externalServers, isCi, startNats, startPostgres } from '@mailstream/devstack';
import { shareDovecot, shareUrl } from './env.ts';

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
  shareDovecot(await canRunDovecot());
  return async () => {
    await Promise.all([nats?.stop(), postgres?.stop()]);
    rmSync(dir, { recursive: true, force: true });
  };
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
