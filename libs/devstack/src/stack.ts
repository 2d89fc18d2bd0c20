/** The whole product as local processes: PostgreSQL, nats-server and the four services, each of which can be killed and started again. */
import { join } from 'node:path';
import { type Child, startChild, waitUntilReady } from './child.ts';
import { childEnv } from './env.ts';
import { startNats } from './nats-server.ts';
import { REPO_ROOT } from './paths.ts';
import { freePort } from './ports.ts';
import { startPostgres } from './postgres.ts';

/** In the order of starting; stopped in reverse. */
export const SERVICES = ['sync-orchestrator', 'mailbox-projector', 'provider-fetcher', 'ingest-gateway'] as const;
export type ServiceName = (typeof SERVICES)[number];
export type UnitName = 'postgres' | 'nats-server' | ServiceName;
export type Ports = Readonly<Record<UnitName, number>>;

/** One process of the stack. It is never restarted by itself. */
export interface Unit {
  readonly name: UnitName;
  readonly url: string;
  /** The running process; the last one when it has ended. */
  child(): Child;
  /** Starts it again after `stop` or `kill`, with the same port and data; resolves when it is ready. */
  start(): Promise<void>;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

export interface StackOptions {
  /** Holds the data and the logs, one directory per unit. */
  readonly dir: string;
  readonly apiToken: string;
  /** Free ports when left out. */
  readonly ports?: Ports;
  /** A NATS or PostgreSQL that exists already; otherwise the stack has its own. */
  readonly natsUrl?: string | undefined;
  readonly databaseUrl?: string | undefined;
  /** More environment for the services, such as `LOG_LEVEL`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onProgress?: (line: string) => void;
}

export interface Stack {
  /** The gateway: the one address callers need. */
  readonly url: string;
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly units: readonly Unit[];
  /** Throws when the stack does not run it, as with a NATS of yours. */
  unit(name: UnitName): Unit;
  stop(): Promise<void>;
}

/** Starts everything and resolves when all services are ready. When a part cannot start, the others are stopped again. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { dir, apiToken, onProgress = () => undefined } = options;
  const ports = options.ports ?? (await freePorts());
  const units: Unit[] = [];
  const add = async (starting: Promise<Unit>) => {
    const unit = await starting;
    units.push(unit);
    onProgress(`${unit.name} is ready`);
    return unit;
  };
  const stop = async () => {
    for (const unit of units.toReversed()) await unit.stop();
  };

  try {
    const [databaseUrl, natsUrl] = await allSettled([
      options.databaseUrl ?? add(postgresUnit(dir, ports.postgres)).then(({ url }) => url),
      options.natsUrl ?? add(natsUnit(dir, ports['nats-server'], onProgress)).then(({ url }) => url),
    ]);
    const env = { ...serviceEnv({ dir, apiToken, natsUrl, databaseUrl, ports }), ...options.env };
    await allSettled(SERVICES.map((name) => add(startService({ name, dir, port: ports[name], env }))));
    const unit = (name: UnitName) => {
      const found = units.find((candidate) => candidate.name === name);
      if (found === undefined) throw new Error(`this stack does not run ${name} itself`);
      return found;
    };
    return { url: unit('ingest-gateway').url, natsUrl, databaseUrl, units, unit, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Where everything is, as the services are told. */
export function serviceEnv(values: {
  readonly dir: string;
  readonly apiToken: string;
  readonly natsUrl: string;
  readonly databaseUrl: string;
  readonly ports: Ports;
}): Record<string, string> {
  return {
    NATS_URL: values.natsUrl,
    DATABASE_URL: values.databaseUrl,
    MAILSTREAM_HTTP_HOST: HOST,
    MAILSTREAM_ORCHESTRATOR_URL: httpUrl(values.ports['sync-orchestrator']),
    MAILSTREAM_PROJECTOR_URL: httpUrl(values.ports['mailbox-projector']),
    MAILSTREAM_FETCHER_URL: httpUrl(values.ports['provider-fetcher']),
    MAILSTREAM_API_TOKEN: values.apiToken,
    MAILSTREAM_KEY_FILE: join(values.dir, 'credentials.key'),
  };
}

export interface ServiceOptions {
  readonly name: ServiceName;
  readonly dir: string;
  readonly port: number;
  readonly env: Readonly<Record<string, string>>;
  /** Tells a second instance of the same service from the first. */
  readonly instance?: string;
}

/** Starts one service and resolves when its `/readyz` answers 200. */
export async function startService(options: ServiceOptions): Promise<Unit> {
  const { name, port } = options;
  const main = join(REPO_ROOT, 'services', name, 'src/main.ts');
  const url = httpUrl(port);
  return createUnit(name, url, async () => {
    const child = await startChild({
      name: `${name}${options.instance ?? ''}`,
      dir: join(options.dir, 'services'),
      command: process.execPath,
      args: ['--enable-source-maps', main],
      env: childEnv({ ...options.env, MAILSTREAM_HTTP_PORT: String(port) }),
      marker: main,
    });
    try {
      await waitUntilReady(child, () => isReady(url));
      return child;
    } catch (error) {
      await child.kill();
      throw error;
    }
  });
}

const HOST = '127.0.0.1';

function httpUrl(port: number): string {
  return `http://${HOST}:${port}`;
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}

function postgresUnit(dir: string, port: number): Promise<Unit> {
  const start = () => startPostgres({ dir: join(dir, 'postgres'), port });
  return serverUnit('postgres', start);
}

function natsUnit(dir: string, port: number, onProgress: (line: string) => void): Promise<Unit> {
  const start = () => startNats({ dir: join(dir, 'nats'), port, onProgress });
  return serverUnit('nats-server', start);
}

async function serverUnit(
  name: UnitName,
  start: () => Promise<{ readonly url: string; readonly child: Child }>,
): Promise<Unit> {
  const first = await start();
  const starts = [async () => first];
  return createUnit(name, first.url, async () => (await (starts.pop() ?? start)()).child);
}

async function createUnit(name: UnitName, url: string, start: () => Promise<Child>): Promise<Unit> {
  let child = await start();
  return {
    name,
    url,
    child: () => child,
    start: async () => {
      await child.stop();
      child = await start();
    },
    stop: () => child.stop(),
    kill: () => child.kill(),
  };
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

/** Like Promise.all, but waits for all of them, so that nothing starts any more once it has thrown. */
async function allSettled<T extends readonly unknown[]>(all: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(all);
  return Promise.all(all) as never;
}
