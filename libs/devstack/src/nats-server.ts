/** A private nats-server with JetStream on 127.0.0.1, run from a generated configuration file. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readChild, startChild, waitUntilReady } from './child.ts';
import { childEnv } from './env.ts';
import type { LocalServer } from './local-server.ts';
import { findNatsServer } from './nats-binary.ts';
import { freePort } from './ports.ts';

export interface NatsOptions {
  /** Holds the streams, configuration and log; made when missing. */
  readonly dir: string;
  /** A free one when left out. */
  readonly port?: number;
  /** Who may connect and do what: a file to include (`accountsConfig`). Absent: everybody may do everything. */
  readonly accountsFile?: string;
  /** Takes TLS only, with this certificate (PEM). */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Progress while the binary is downloaded. */
  readonly onProgress?: (line: string) => void;
}

/** Starts nats-server and resolves when JetStream is ready. */
export async function startNats(options: NatsOptions): Promise<LocalServer> {
  const binary = await findNatsServer(options.onProgress);
  const port = options.port ?? (await freePort());
  const configFile = writeNatsConfig(options, port);

  const child = await startChild({
    name: 'nats-server',
    dir: options.dir,
    command: binary,
    args: ['--config', configFile],
    env: childEnv({}),
    marker: configFile,
  });
  // Written when it listens. Asking the port instead could find another server there.
  await waitUntilReady(child, () => existsSync(join(options.dir, portsFile(child.pid))));
  rmSync(join(options.dir, portsFile(child.pid)));
  return {
    url: `${options.tls ? 'tls' : 'nats'}://127.0.0.1:${port}`,
    port,
    child,
    stop: () => child.stop(),
    kill: () => child.kill(),
  };
}

/** Writes the configuration into `dir` and returns its file. */
export function writeNatsConfig(options: NatsOptions, port: number): string {
  mkdirSync(options.dir, { recursive: true });
  const file = join(options.dir, 'nats.conf');
  writeFileSync(file, natsConfig(options, port));
  return file;
}

const RELOAD_MS = 500;

/** Makes the server that runs with its data in `dir` read its configuration again; false when none runs. */
export async function reloadNats(dir: string): Promise<boolean> {
  const running = readChild(dir, 'nats-server');
  if (running === null) return false;
  process.kill(running, 'SIGHUP');
  // What a new account imports is found from the second reload on (seen with 2.15.1).
  await sleep(RELOAD_MS);
  process.kill(running, 'SIGHUP');
  return true;
}

/** The name nats-server gives the file that says where it listens. */
function portsFile(pid: number): string {
  return `nats-server_${pid}.ports`;
}

/** `sync_interval: always` makes an acknowledged publish a stored one: without it the last two minutes may be lost. */
function natsConfig({ dir, tls, accountsFile }: NatsOptions, port: number): string {
  return `server_name: mailstream
listen: "127.0.0.1:${port}"
ports_file_dir: ${JSON.stringify(dir)}
max_payload: 8MB
jetstream {
  store_dir: ${JSON.stringify(join(dir, 'jetstream'))}
  sync_interval: always
}
${tls ? tlsBlock(dir, tls) : ''}${accountsFile === undefined ? '' : `include ${JSON.stringify(relative(dir, accountsFile))}\n`}`;
}

function tlsBlock(dir: string, { cert, key }: NonNullable<NatsOptions['tls']>): string {
  const certFile = join(dir, 'server.crt');
  const keyFile = join(dir, 'server.key');
  writeFileSync(certFile, cert);
  writeFileSync(keyFile, key, { mode: 0o600 });
  return `tls {\n  cert_file: ${JSON.stringify(certFile)}\n  key_file: ${JSON.stringify(keyFile)}\n}\n`;
}
