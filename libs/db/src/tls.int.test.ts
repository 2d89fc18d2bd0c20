/** TLS to PostgreSQL: whom we trust, and whom not, against the real server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalServer, startPostgres } from '@mailstream/devstack';
import { createLogger } from '@mailstream/runtime';
import { createDevCa } from '@mailstream/simulators';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createDb } from './create-db.ts';

/** The server's certificate is of `localhost` alone, not of `127.0.0.1`. */
const ours = createDevCa([], ['localhost']);
const dir = mkdtempSync(join(tmpdir(), 'mailstream-tls-'));
let postgres: LocalServer;

beforeAll(async () => {
  postgres = await startPostgres({ dir: join(dir, 'postgres'), fsync: false, tls: ours });
});

afterAll(async () => {
  await postgres?.kill();
  rmSync(dir, { recursive: true });
});

/** Whether the connection that `host` and `query` describe is encrypted; throws when there is none. */
async function isEncrypted(
  host: string,
  query: Readonly<Record<string, string>>,
): Promise<boolean | undefined> {
  const url = new URL(postgres.url);
  url.hostname = host;
  url.search = String(new URLSearchParams(query));
  const logger = createLogger('test', 'silent');
  const db = createDb({ url: url.href, max: 1, applicationName: 'tls', logger });
  try {
    const [row] = await db.query<{ ssl: boolean }>(
      'SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
    );
    return row?.ssl;
  } finally {
    await db.close();
  }
}

function rootFile(name: string, ca: string): string {
  const file = join(dir, name);
  writeFileSync(file, ca);
  return file;
}

it('is trusted by its authority, under its name only, whatever the mode says', async () => {
  const sslrootcert = rootFile('ours.pem', ours.ca);
  for (const sslmode of ['verify-full', 'require', 'prefer']) {
    expect(await isEncrypted('localhost', { sslmode, sslrootcert })).toBe(true);
    await expect(isEncrypted('127.0.0.1', { sslmode, sslrootcert })).rejects.toThrow(
      /127\.0\.0\.1 is not in the cert/,
    );
  }
});

it('is not trusted by another authority, nor by those that everybody trusts', async () => {
  const sslrootcert = rootFile('other.pem', createDevCa().ca);
  await expect(isEncrypted('localhost', { sslmode: 'require', sslrootcert })).rejects.toThrow(/certificate/);
  await expect(isEncrypted('localhost', { sslmode: 'require' })).rejects.toThrow(/certificate/);
});

it('is talked to in the clear when nothing is said', async () => {
  expect(await isEncrypted('127.0.0.1', {})).toBe(false);
});
