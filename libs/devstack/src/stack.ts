/** The whole product as local processes: PostgreSQL, nats-server and the four services, each of which can be killed and started again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ServiceUser } from '@mailstream/bus';
import { DEFAULT_TENANT } from '@mailstream/runtime';
import { type Child, startChild, waitUntilReady } from './child.ts';
import { ensureTokenKey, makeDevToken } from './dev-token.ts';
import { childEnv, variable } from './env.ts';
import { startNats } from './nats-server.ts';
import { accountsFile, ensureServiceUsers, seedFile } from './nats-users.ts';
import { NODE_FLAGS } from './node-flags.ts';
import { REPO_ROOT } from './paths.ts';
import { freePort } from './ports.ts';
import { startPostgres } from './postgres.ts';

export const SERVICES = [
  'sync-orchestrator',
  'mailbox-projector',
  'provider-fetcher',
  'ingest-gateway',
] as const;
export type ServiceName = (typeof SERVICES)[number];
export type UnitName = 'postgres' | 'nats-server' | ServiceName;
export type Ports = Readonly<Record<UnitName, number>>;

/** One process of the stack. It is never restarted by itself. */
export interface Unit {
  readonly name: UnitName;
  readonly url: string;
  /** The running process; the last one when it has ended. */
  child(): Child;
  /** Starts it (again) with the same port and data; resolves when it is ready. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL. */
  kill(): Promise<void>;
}

export interface StackOptions {
  /** Holds data, keys and logs. */
  readonly dir: string;
  /** Free ones when left out. */
  readonly ports?: Ports;
  /** A NATS and a PostgreSQL that exist already; otherwise the stack has its own. */
  readonly natsUrl?: string | undefined;
  readonly databaseUrl?: string | undefined;
  /** What is to notify us runs on this machine, as a simulator does: the gateway's own address is then the public one. */
  readonly notifiedLocally?: boolean;
  /** More environment for the services, such as `LOG_LEVEL`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onProgress?: (line: string) => void;
}

export interface Stack {
  /** The gateway: the one address callers need. */
  readonly url: string;
  /** For its API: everything in the default tenant. */
  readonly token: string;
  /** The same in another tenant. */
  tokenOf(tenant: string): Promise<string>;
  /** With the operators' key, when it is the stack's own. */
  readonly natsUrl: string;
  readonly databaseUrl: string;
  /** The operators' key; undefined when NATS is not the stack's own. */
  readonly operatorSeedFile: string | undefined;
  /** What a further instance of a service needs: see `startService`. */
  envOf(name: ServiceName): Readonly<Record<string, string>>;
  /** In the order they were started. */
  readonly units: readonly Unit[];
  /** Throws when the stack does not run it, as with a NATS of yours. */
  unit(name: UnitName): Unit;
  /** Stops all, in reverse order. */
  stop(): Promise<void>;
}

/** Starts everything and resolves when all services are ready. When a part cannot start, the others are stopped again. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dir, onProgress = () => undefined } = options;
  const ports = options.ports ?? (await freePorts());
  const tokenKey = ensureTokenKey(dir);
  const units: Unit[] = [];
  const add = (unit: Unit) => {
    units.push(unit);
    onProgress(`${unit.name} is ready`);
    return unit.url;
  };
  const unit = (name: UnitName) => {
    const found = units.find((candidate) => candidate.name === name);
    if (found === undefined) throw new Error(`this stack does not run ${name} itself`);
    return found;
  };
  const stop = async () => {
    for (const each of units.toReversed()) await each.stop();
  };

  try {
    const postgres = { dir: join(dir, 'postgres'), port: ports.postgres };
    const databaseUrl =
      options.databaseUrl ?? add(await startUnit('postgres', () => startPostgres(postgres)));
    const users = join(dir, 'nats-users');
    const nats = {
      dir: join(dir, 'nats'),
      port: ports['nats-server'],
      accountsFile: accountsFile(users),
      onProgress,
    };
    if (options.natsUrl === undefined) {
      ensureServiceUsers(users);
      add(await startUnit('nats-server', () => startNats(nats)));
    }
    const serverUrl = options.natsUrl ?? unit('nats-server').url;
    const natsUrl = options.natsUrl ?? operatorUrl(serverUrl, users);
    const env = {
      NATS_URL: serverUrl,
      DATABASE_URL: databaseUrl,
      // Those of another database are of no use with our own.
      ...(options.databaseUrl === undefined ? { API_DATABASE_URL: '', MIGRATION_DATABASE_URL: '' } : {}),
      MAILSTREAM_HTTP_HOST: '127.0.0.1',
      MAILSTREAM_ORCHESTRATOR_URL: httpUrl(ports['sync-orchestrator']),
      MAILSTREAM_PROJECTOR_URL: httpUrl(ports['mailbox-projector']),
      ...authEnv(tokenKey),
      // Tests and benches ask without a pause whether it is time to go on.
      MAILSTREAM_CALLS_PER_MINUTE: '1000000',
      // One port cannot be that of four processes.
      MAILSTREAM_ADMIN_PORT: '',
      MAILSTREAM_CONNECT_URL: connectUrl(ports['ingest-gateway']),
      // Its mail servers are on this machine.
      MAILSTREAM_PRIVATE_HOSTS: variable('MAILSTREAM_PRIVATE_HOSTS') ?? 'allow',
      MAILSTREAM_KEY_FILE: join(dir, 'credentials.key'),
      ...(options.notifiedLocally ? { MAILSTREAM_PUBLIC_URL: httpUrl(ports['ingest-gateway']) } : {}),
      ...options.env,
    };
    const keyOf = (user: ServiceUser) => (options.natsUrl === undefined ? seedFile(users, user) : undefined);
    const envOf = (name: ServiceName) => {
      const key = keyOf(NATS_USERS[name]);
      return key === undefined ? env : { ...env, NATS_NKEY_SEED_FILE: key };
    };
    // Settled, not just failed: nothing may start any more once this has thrown.
    const starting = await Promise.allSettled(
      SERVICES.map(async (name) =>
        add(await startService({ name, dir, port: ports[name], env: envOf(name) })),
      ),
    );
    for (const result of starting) if (result.status === 'rejected') throw result.reason;
    const tokenOf = (tenant: string) => makeDevToken(tokenKey, tenant);
    const token = await tokenOf(DEFAULT_TENANT);
    return {
      url: unit('ingest-gateway').url,
      token,
      tokenOf,
      natsUrl,
      databaseUrl,
      operatorSeedFile: keyOf('operator'),
      envOf,
      units,
      unit,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The name of each service as a user of NATS. */
const NATS_USERS = {
  'sync-orchestrator': 'orchestrator',
  'mailbox-projector': 'projector',
  'provider-fetcher': 'fetcher',
  'ingest-gateway': 'gateway',
} as const satisfies Record<ServiceName, ServiceUser>;

function operatorUrl(serverUrl: string, users: string): string {
  const url = new URL(serverUrl);
  url.username = readFileSync(seedFile(users, 'operator'), 'utf8').trim();
  return url.href;
}

/** Its own key and no other way to recognise callers, whatever is set for services that run elsewhere. */
function authEnv(tokenKey: string): Readonly<Record<string, string>> {
  return {
    MAILSTREAM_JWT_KEY_FILE: tokenKey,
    MAILSTREAM_JWT_KEY: '',
    MAILSTREAM_JWT_JWKS_URL: '',
    MAILSTREAM_JWT_ISSUER: '',
    MAILSTREAM_JWT_AUDIENCE: '',
    MAILSTREAM_JWT_TENANT_CLAIM: '',
  };
}

/** Where browsers find the gateway. Providers accept plain http for this name only. */
function connectUrl(port: number): string {
  return (
    variable('MAILSTREAM_CONNECT_URL') ?? variable('MAILSTREAM_PUBLIC_URL') ?? `http://localhost:${port}`
  );
}

export interface ServiceOptions {
  readonly name: ServiceName;
  readonly dir: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** Tells a second instance of the same service in the same directory from the first. */
  readonly instance?: number;
}

/** Starts one service and resolves when its `/readyz` answers 200. */
export function startService(options: ServiceOptions): Promise<Unit> {
  const { name, port } = options;
  const main = join(REPO_ROOT, 'services', name, 'src/main.ts');
  const url = httpUrl(port);
  return startUnit(name, async () => {
    const child = await startChild({
      name: options.instance === undefined ? name : `${name}-${options.instance}`,
      dir: join(options.dir, 'services'),
      command: process.execPath,
      args: [...NODE_FLAGS, '--max-old-space-size=1536', main],
      env: childEnv({
        NODE_COMPILE_CACHE: join(REPO_ROOT, '.cache/compiled'),
        ...options.env,
        MAILSTREAM_HTTP_PORT: String(port),
      }),
      marker: main,
    });
    try {
      await waitUntilReady(child, () => isReady(url));
      return { url, child };
    } catch (error) {
      await child.kill();
      throw error;
    }
  });
}

async function startUnit(
  name: UnitName,
  start: () => Promise<{ readonly url: string; readonly child: Child }>,
): Promise<Unit> {
  let { url, child } = await start();
  return {
    name,
    url,
    child: () => child,
    start: async () => {
      await child.stop();
      ({ url, child } = await start());
    },
    stop: () => child.stop(),
    kill: () => child.kill(),
  };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

function httpUrl(port: number): string {
  return `http://127.0.0.1:${port}`;
}

async function freePorts(): Promise<Ports> {
  return {
    postgres: await freePort(),
    'nats-server': await freePort(),
    'sync-orchestrator': await freePort(),
    'mailbox-projector': await freePort(),
    'provider-fetcher': await freePort(),
    'ingest-gateway': await freePort(),
  };
}
