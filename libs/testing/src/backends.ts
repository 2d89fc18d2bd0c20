/** Real servers for tests: a fresh database and a fresh nats-server per file cost milliseconds. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type Dovecot,
  type DovecotOptions,
  type NatsOptions,
  startDovecot,
  startNats,
} from '@mailstream/devstack';
import pg from 'pg';
import { inContainers, sharedUrl } from './env.ts';

/** The nats-server that all test files share: for tests that use only names of their own. */
export function natsUrl(): string {
  return sharedUrl('NATS_URL');
}

export interface TestNats {
  readonly url: string;
  /** SIGKILL, as when the node dies. */
  kill(): Promise<void>;
  /** Starts it again at the same URL with the same streams. */
  restart(): Promise<void>;
  /** Stops it, does this to the directory of its streams, and starts it again; `backup` is a place beside them. */
  whileStopped(work: (streams: string, backup: string) => Promise<void>): Promise<void>;
  /** Stops it and deletes its streams. */
  drop(): Promise<void>;
}

/** A nats-server of one's own: the streams have fixed names, so most files want this one. */
export async function createNats(options: Omit<NatsOptions, 'dir' | 'port'> = {}): Promise<TestNats> {
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-nats-'));
  // Loaded when needed: it brings much with it.
  const start = inContainers() ? (await import('./containers.ts')).startNatsContainer : startNats;
  let server = await start({ ...options, dir });
  const restart = async () => {
    await server.stop();
    server = await start({ ...options, dir, port: server.port });
  };
  return {
    url: server.url,
    kill: () => server.kill(),
    restart,
    async whileStopped(work) {
      await server.stop();
      await work(join(dir, 'jetstream', 'jetstream', '$G', 'streams'), join(dir, 'backup'));
      await restart();
    },
    drop: async () => {
      await server.stop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface TestDatabase {
  readonly url: string;
  /** Deletes it, also while connections to it are open. */
  drop(): Promise<void>;
}

/** An empty database of one's own on the shared PostgreSQL. */
export async function createDatabase(): Promise<TestDatabase> {
  const server = sharedUrl('DATABASE_URL');
  const name = `test_${randomBytes(6).toString('hex')}`;
  await execute(server, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => execute(server, `DROP DATABASE ${name} WITH (FORCE)`) };
}

export type TestDovecot = Dovecot & {
  /** Stops it and deletes its mail. */
  drop(): Promise<void>;
};

/** An IMAP server of one's own; the tests that use it are inside `describe.skipIf(!hasDovecot())`. */
export async function createDovecot(options: Omit<DovecotOptions, 'dir'>): Promise<TestDovecot> {
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-dovecot-'));
  const server = await startDovecot({ ...options, dir });
  return {
    ...server,
    drop: async () => {
      // Its clean stop takes a second, and nothing of it is kept.
      await server.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function execute(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
