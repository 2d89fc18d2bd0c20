/**
 * Runs the pods that the chart renders for production as containers: their commands, environments, files, limits and powers, a NATS with users and a PostgreSQL
 * with three logins; asks their probes. `node deploy/k8s/check/run-rendered.ts`, after `deploy/image.sh`, where Docker and helm are. Only TLS to NATS is left out.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Container, type EnvVar, type Pod, podsOf } from './objects.ts';
import { render } from './render.ts';
import { SERVICES } from './services.ts';

const IMAGE = 'mailstream:dev';
const NATS_CONF = fileURLToPath(new URL('../../compose/nats.conf', import.meta.url));
const OWN_NATS = [
  'config.NATS_URL=nats://nats:4222',
  'config.MAILSTREAM_STREAM_REPLICAS=1',
  'secrets.NATS_CA_FILE=null',
];
/** A probe that fails so long fails, milliseconds. */
const PATIENCE_MS = 90_000;

/** What the Secrets hold beside addresses and seeds, as far as a service looks at it before it starts. */
const OTHER_SECRETS: Readonly<Record<string, string>> = {
  MAILSTREAM_KEY_FILE: Buffer.alloc(32, 7).toString('base64'),
  MS_CLIENT_SECRET: 'secret',
};

const name = `mailstream-rendered-${process.pid}`;
const dir = mkdtempSync(join(tmpdir(), 'mailstream-rendered-'));
const started: string[] = [];

try {
  await run();
} finally {
  for (const each of started) docker('rm', '--force', '--volumes', each);
  docker('network', 'rm', name);
  rmSync(dir, { recursive: true });
}

async function run(): Promise<void> {
  docker('network', 'create', name);
  const secrets = { ...(await startPostgres()), ...startNats(), ...OTHER_SECRETS };
  const pods = podsOf(render('production', ...OWN_NATS.flatMap((value) => ['--set', value])));
  const pod = (component: string) => {
    const found = pods.find((each) => each.name === component);
    if (!found) throw new Error(`the chart renders no ${component}`);
    return found;
  };
  docker(...commandOf(pod('migrate'), secrets, ['run', '--rm']));
  say('migrate: done');
  await Promise.all(SERVICES.map((service) => becomesReady(pod(service), secrets)));
}

/** A PostgreSQL with the logins of the README. Resolves with what the secrets hold. */
async function startPostgres(): Promise<Record<string, string>> {
  start('postgres', '--env', 'POSTGRES_PASSWORD=secret', 'postgres:18');
  // By TCP: while the database is made it listens on its socket only.
  await until(() => docker('exec', `${name}-postgres`, 'pg_isready', '--host', '127.0.0.1'));
  const sql = `CREATE ROLE mailstream_service LOGIN PASSWORD 'secret'; CREATE ROLE mailstream_api LOGIN PASSWORD 'secret';
    CREATE ROLE mailstream_owner LOGIN PASSWORD 'secret'; GRANT mailstream_service TO mailstream_owner;`;
  for (const statement of [sql, 'CREATE DATABASE mailstream OWNER mailstream_owner'])
    docker(
      'exec',
      '--env',
      'PGPASSWORD=secret',
      `${name}-postgres`,
      'psql',
      ...['-h', '127.0.0.1', '-U', 'postgres', '-c', statement],
    );
  const url = (login: string) => `postgres://mailstream_${login}:secret@postgres:5432/mailstream`;
  return { DATABASE_URL: url('service'), API_DATABASE_URL: url('api'), MIGRATION_DATABASE_URL: url('owner') };
}

/** A NATS with users. Returns their seeds under the keys of the Secret. */
function startNats(): Record<string, string> {
  const users = join(dir, 'nats-users');
  mkdirSync(users);
  chmodSync(users, 0o777);
  const out = ['--volume', `${users}:/out`, IMAGE, 'mailstream', 'nats-config', '--out', '/out'];
  docker('run', '--rm', '--user', String(process.getuid?.() ?? 0), ...out);
  const config = [
    '--volume',
    `${NATS_CONF}:/etc/nats/nats.conf:ro`,
    '--volume',
    `${users}:/etc/nats/users:ro`,
  ];
  start('nats', ...config, 'nats:2.15', '--config', '/etc/nats/nats.conf');
  const seed = (service: string) => readFileSync(join(users, 'services', `${service}.seed`), 'utf8').trim();
  return Object.fromEntries(SERVICES.map((service) => [`${service}.seed`, seed(service)]));
}

/** As the kubelet asks. */
async function becomesReady(pod: Pod, secrets: Readonly<Record<string, string>>): Promise<void> {
  const began = performance.now();
  const container = `${name}-${pod.name}`;
  docker(...commandOf(pod, secrets, ['run', '--detach', '--restart', 'on-failure', '--name', container]));
  started.unshift(container);
  const address = docker(
    'inspect',
    '--format',
    '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
    container,
  );
  const { ports = [], livenessProbe, readinessProbe } = only(pod);
  for (const probe of [livenessProbe, readinessProbe]) {
    const port = ports.find((each) => each.name === probe?.httpGet?.port)?.containerPort;
    const url = `http://${address}:${port}${probe?.httpGet?.path}`;
    await until(async () => {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) });
      if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
    }).catch((error: unknown) => {
      throw new Error(`${pod.name}: ${logsOf(container)}`, { cause: error });
    });
  }
  say(`${pod.name}: ready ${Math.round(performance.now() - began)} ms after its start`);
}

/** `docker run` of the one container of a pod. */
function commandOf(pod: Pod, secrets: Readonly<Record<string, string>>, how: readonly string[]): string[] {
  const container = only(pod);
  const { env = [], args = [], resources, volumeMounts = [] } = container;
  const files = join(dir, pod.name);
  mkdirSync(files);
  const mounted = (pod.spec.volumes ?? []).flatMap(({ projected }) => projected?.sources ?? []);
  for (const { path } of mounted.flatMap(({ secret }) => secret.items))
    writeFileSync(join(files, path), held(secrets, path));
  const inside = ({ value, valueFrom }: EnvVar) => value ?? held(secrets, valueFrom?.secretKeyRef?.key ?? '');
  return [
    ...how,
    ...['--network', name, '--user', '10001:10001', '--read-only', '--cap-drop', 'ALL'],
    ...[
      '--security-opt',
      'no-new-privileges',
      '--memory',
      resources?.limits?.memory?.replace('i', '') ?? '0',
    ],
    ...volumeMounts.flatMap((mount) =>
      mount.name === 'tmp' ? ['--tmpfs', mount.mountPath] : ['--volume', `${files}:${mount.mountPath}:ro`],
    ),
    ...env.flatMap((variable) => ['--env', `${variable.name}=${inside(variable)}`]),
    IMAGE,
    ...args,
  ];
}

function held(secrets: Readonly<Record<string, string>>, key: string): string {
  const value = secrets[key];
  if (value === undefined)
    throw new Error(`the chart wants ${key} from a Secret, which this script does not have`);
  return value;
}

function only(pod: Pod): Container {
  const [container] = pod.spec.containers;
  if (!container) throw new Error(`${pod.name} has no container`);
  return container;
}

function start(alias: string, ...how: string[]): void {
  const container = `${name}-${alias}`;
  docker('run', '--detach', '--name', container, '--network', name, '--network-alias', alias, ...how);
  started.unshift(container);
}

function logsOf(container: string): string {
  return spawnSync('docker', ['logs', '--tail', '20', container], { encoding: 'utf8' }).stderr;
}

/** Its output. Throws what it said when it fails. */
function docker(...args: string[]): string {
  return execFileSync('docker', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
}

async function until(attempt: () => unknown): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(250)) {
    try {
      await attempt();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    }
  }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
