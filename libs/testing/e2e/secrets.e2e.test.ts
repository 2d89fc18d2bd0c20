// No secret is written anywhere: real ones travel through a running system that succeeds, is refused by servers that repeat what they are sent, and crashes; then all it wrote is searched.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { type Bus, connectBus } from '@mailstream/bus';
import { Account, ApiKeyCreated, KeysRotated, pageOf, STREAMS, subjects } from '@mailstream/contracts';
import { createDb, type Db } from '@mailstream/db';
import {
  type OtlpReceiver,
  type Stack,
  startOtlpReceiver,
  startService,
  startStack,
} from '@mailstream/devstack';
import { createLogger } from '@mailstream/runtime';
import { createSimulator, DEMO_CLIENT, type Simulator } from '@mailstream/simulators';
import { type ScriptServer, startScriptServer } from '@mailstream/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRest, type Rest } from './rest.ts';
import { until } from './until.ts';

const ADA = 'ada@example.com';
/** With what has to be quoted in IMAP and JSON. */
const PASSWORD = 'canary "of\\ the" password 7f3a';
const WRONG_PASSWORD = 'canary of the wrong "password" 99c1';
const SPARE_KEY = randomBytes(32).toString('base64');
const MASTER_KEY = randomBytes(32).toString('base64');
const DATABASE_PASSWORD = 'canary-of-the-database-41d0';

/** What must not be found, by what it is; tokens are added as they are seen on the wire. */
const secrets = new Map<string, string>([
  ['IMAP password', PASSWORD],
  ['refused IMAP password', WRONG_PASSWORD],
  ['key-encryption key', MASTER_KEY],
  ['older key-encryption key', SPARE_KEY],
  ['client secret', DEMO_CLIENT.secret ?? ''],
  ['database password', DATABASE_PASSWORD],
]);
/** What was answered by the API. */
const answers: string[] = [];

let dir: string;
let simulator: Simulator;
let imap: ScriptServer;
let wire: Wire;
let stack: Stack;
let telemetry: OtlpReceiver;
let rest: Rest;
let bus: Bus;
let db: Db;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'mailstream-secrets-'));
  simulator = await createSimulator({ startAt: Date.now(), realTime: true });
  simulator.control.createMailbox({ address: ADA, messages: 5 });
  const ca = join(dir, 'ca.pem');
  writeFileSync(ca, simulator.entra.ca);
  setDefaultCACertificates([...getCACertificates('default'), simulator.entra.ca]);
  imap = await startScriptServer({ capability: 'IMAP4rev1 IDLE' });
  imap.on((command) =>
    command.startsWith('LOGIN') && command.includes('99c1')
      ? [`TAG NO [AUTHENTICATIONFAILED] not like this: ${command}`]
      : null,
  );
  wire = await startWire(simulator.entra.url);
  telemetry = await startOtlpReceiver();
  stack = await startStack({
    dir,
    env: {
      NODE_EXTRA_CA_CERTS: ca,
      LOG_LEVEL: 'trace',
      OTEL_EXPORTER_OTLP_ENDPOINT: telemetry.url,
      OTEL_BSP_SCHEDULE_DELAY: '100',
      OTEL_METRIC_EXPORT_INTERVAL: '1000',
      MAILSTREAM_KEY: `next:${MASTER_KEY} before:${SPARE_KEY}`,
      MS_CLIENT_ID: DEMO_CLIENT.id,
      MS_CLIENT_SECRET: DEMO_CLIENT.secret ?? '',
      MS_AUTHORITY: `${simulator.entra.url}/common`,
      MS_TOKEN_URL: `${wire.url}/{tenantid}/oauth2/v2.0/token`,
      MS_GRAPH_URL: simulator.graph.url,
      MAILSTREAM_POLL_SECONDS: '1',
      MAILSTREAM_DEEP_POLL_SECONDS: '1',
    },
  });
  bus = await connectBus({ url: stack.natsUrl, name: 'end-to-end' });
  const logger = createLogger('end-to-end', 'silent');
  db = createDb({ url: stack.databaseUrl, max: 2, applicationName: 'end-to-end', logger });
  secrets.set('API token', stack.token);
  rest = createRest(stack.url, stack.token);
});
afterAll(async () => {
  await db?.close();
  await bus?.close();
  await stack?.stop();
  await telemetry?.close();
  wire?.close();
  await imap?.close();
  await simulator?.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Wire {
  readonly url: string;
  /** From now on each request is refused with an error that repeats it. */
  refuse(): void;
  close(): void;
}

/** Stands between the orchestrator and Entra's token endpoint, and takes down every secret that passes. */
async function startWire(target: string): Promise<Wire> {
  let refusing = false;
  const note = (fields: Iterable<[string, unknown]>) => {
    for (const [name, value] of fields)
      if (/token$|^code$|^code_verifier$|secret$/.test(name) && typeof value === 'string' && value.length > 8)
        secrets.set(`${name} (${secrets.size})`, value);
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const sent = Buffer.concat(chunks).toString('utf8');
    const form = new URLSearchParams(sent);
    note(form);
    if (refusing) {
      const repeated = [...form].map(([name, value]) => `${name}=${value}`).join(' ');
      const body = { error: 'invalid_grant', error_description: `AADSTS50173: no: ${sent} ${repeated}` };
      response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return;
    }
    const answer = await post(`${target}${request.url}`, sent);
    note(Object.entries(JSON.parse(answer.text)));
    response.writeHead(answer.status, { 'content-type': 'application/json' }).end(answer.text);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`,
    refuse: () => {
      refusing = true;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function post(url: string, form: string): Promise<{ status: number; text: string }> {
  const answer = await fetch(url, { method: 'POST', body: new URLSearchParams(form) });
  return { status: answer.status, text: await answer.text() };
}

/** Keeps the answer, whatever it is. */
async function call(method: string, path: string, body?: unknown): Promise<void> {
  const answer = await fetch(new URL(path, stack.url), {
    method,
    headers: { authorization: `Bearer ${stack.token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  answers.push(`${JSON.stringify([...answer.headers])}\n${await answer.text()}`);
}

async function addImap(password: string, user: string): Promise<string> {
  const { host, port } = imap;
  const settings = { host, port, user, secure: false, allowPlaintext: true };
  const body = { provider: 'imap', settings, credential: { password } };
  return (await rest.send(Account, 'POST', '/v1/accounts', body)).id;
}

const stateIs = (account: string, state: Account['state']) =>
  until(`${account} is ${state}`, async () => {
    const found = await rest.get(Account, `/v1/accounts/${account}`);
    expect(`${found.state} ${JSON.stringify(found.failure)}`).toMatch(new RegExp(`^${state} `));
  });

/** As a browser does, which has no token. Returns the account. */
async function signIn(): Promise<string> {
  const started = await fetch(new URL('/v1/connect/microsoft', stack.url), {
    headers: { authorization: `Bearer ${stack.token}` },
    redirect: 'manual',
  });
  const page = new URL(started.headers.get('location') ?? '');
  page.searchParams.set('account', ADA);
  const answer = await fetch(page);
  answers.push(await answer.text());
  const { items } = await rest.get(pageOf(Account), '/v1/accounts');
  return items.find(({ name }) => name === ADA)?.id ?? '';
}

it('nothing that was written holds a secret', { timeout: 180_000 }, async () => {
  // It works.
  const { key } = await rest.send(ApiKeyCreated, 'POST', '/v1/api-keys', { name: 'x', scopes: ['admin'] });
  secrets.set('API key', key);
  await createRest(stack.url, key).send(KeysRotated, 'POST', '/v1/keys/rotate', {});
  const [kept, refused] = [await addImap(PASSWORD, 'kept'), await addImap(WRONG_PASSWORD, 'refused')];
  const microsoft = await signIn();
  for (const account of [kept, microsoft]) await stateIs(account, 'live');

  // It is refused, and what it sent is repeated to it.
  await stateIs(refused, 'reauth_required');
  await call('POST', '/v1/accounts', { provider: 'imap', settings: {}, credential: { password: PASSWORD } });
  await call('POST', '/v1/accounts', {
    provider: 'imap',
    credential: PASSWORD,
    settings: { host: PASSWORD },
  });
  await call('PATCH', `/v1/accounts/${kept}`, { credential: { passwort: PASSWORD } });
  await call('GET', `/v1/connect/microsoft/callback?state=x&code=${encodeURIComponent(PASSWORD)}`);
  wire.refuse();
  const token = [...secrets].findLast(([name]) => name.startsWith('access_token'))?.[1];
  simulator.control.fault({
    mailbox: ADA,
    times: Number.POSITIVE_INFINITY,
    fault: {
      kind: 'status',
      status: 401,
      code: `Bearer ${token}`,
      message: `Authorization: Bearer ${token}`,
    },
  });
  await stateIs(microsoft, 'reauth_required');

  // It crashes, and starts again; and once it cannot start.
  for (const name of ['sync-orchestrator', 'provider-fetcher'] as const) {
    process.kill(stack.unit(name).child().pid, 'SIGABRT');
    await stack.unit(name).start();
  }
  await stack.unit('postgres').kill();
  await call('GET', '/v1/accounts');
  await stack.unit('postgres').start();
  await expect(
    startService({
      name: 'sync-orchestrator',
      dir,
      port: 0,
      instance: 2,
      env: {
        ...stack.envOf('sync-orchestrator'),
        DATABASE_URL: `postgres://ada:${DATABASE_PASSWORD}@127.0.0.1:1/none`,
      },
    }),
  ).rejects.toThrow();
  await stateIs(kept, 'live');
  for (const path of [
    'accounts',
    'status',
    'doctor',
    'audit',
    'keys',
    'api-keys',
    'messages',
    'mailboxes',
    'runs',
  ])
    await call('GET', `/v1/${path}`);

  // Mail that flows is not logged: this is, as of an account of another tenant.
  await bus.publish({ subject: subjects.hint({ tenant: 'acme', account: kept }, 'push'), data: {} });
  await until('the logs tell of the account', async () => {
    const logs = await filesUnder(join(dir, 'services'));
    expect(logs.some(({ text }) => text.includes(kept))).toBe(true);
  });
  const written = [
    ...(await filesUnder(dir)),
    ...(await tables()),
    ...(await streams()),
    ...answers.map((text, at) => ({ where: `answer ${at}`, text })),
    ...telemetry.bodies().map((body) => ({ where: 'telemetry', text: body.toString('latin1') })),
    ...(await metrics()).map((text) => ({ where: 'metrics', text })),
  ];
  // The search finds what is there, everywhere.
  for (const place of [
    /services\/.*\.log$/,
    /nats/,
    /^control\.account$/,
    /^stream MAIL$/,
    /^answer/,
    /^telemetry$/,
  ])
    expect(written.some(({ where, text }) => place.test(where) && text.includes(kept))).toBe(true);
  expect([...secrets.keys()].join()).toMatch(/refresh_token.*access_token|access_token.*refresh_token/);
  const found = written.flatMap(({ where, text }) =>
    [...secrets].flatMap(([name, secret]) =>
      formsOf(secret).some((form) => text.includes(form)) ? [`${name} in ${where}`] : [],
    ),
  );
  expect(found).toEqual([]);

  // Traces and metrics go to more people than mail does: they name nobody, and say nothing of what was written.
  const mail = simulator.control.messages({ mailbox: ADA }).flatMap(({ id, subject }) => [id, subject]);
  const told = [...telemetry.bodies().map((body) => body.toString()), ...(await metrics())];
  for (const metric of ['mailstream.fold.lag', 'mailstream_fold_lag'])
    expect(told.some((body) => body.includes(metric))).toBe(true);
  expect(
    [ADA, 'kept', 'refused', ...mail].filter((text) => told.some((body) => body.includes(text))),
  ).toEqual([]);
});

/** As Prometheus is told them. */
async function metrics(): Promise<string[]> {
  const headers = { authorization: `Bearer ${stack.token}` };
  const services = stack.units.filter(({ url }) => url.startsWith('http:'));
  return Promise.all(
    services.map(async ({ url }) => (await fetch(new URL('/metrics', url), { headers })).text()),
  );
}

interface Written {
  readonly where: string;
  readonly text: string;
}

/** Byte for byte; what an operator gives in files is not written by the system. */
async function filesUnder(root: string): Promise<Written[]> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return files.flatMap(({ parentPath, name }) => {
    const where = join(parentPath, name).slice(root.length);
    const text = readIfThere(join(root, where));
    return text === null ? [] : [{ where, text }];
  });
}

/** Servers at work rename their temporary files, and are done with others. */
function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

async function tables(): Promise<Written[]> {
  const names = await db.query<{ name: string }>(
    `SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  );
  return Promise.all(
    names.map(async ({ name }) => ({
      where: name,
      text: JSON.stringify(await db.query(`SELECT row::text AS row FROM ${name} row`)),
    })),
  );
}

async function streams(): Promise<Written[]> {
  return Promise.all(
    Object.values(STREAMS).map(async ({ name }) => {
      const { first, last } = await bus.state(name);
      const stored: unknown[] = [];
      for (let sequence = first; sequence <= last; sequence += 1n) {
        const message = sequence > 0n ? await bus.at(name, sequence) : null;
        if (message)
          stored.push(message.subject, message.headers, Buffer.from(message.data).toString('latin1'));
      }
      return {
        where: `stream ${name}`,
        text: stored.map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join('\n'),
      };
    }),
  );
}

function formsOf(secret: string): string[] {
  const bytes = Buffer.from(secret);
  const raw = /^[A-Za-z0-9+/]{43}=$/.test(secret) ? [Buffer.from(secret, 'base64').toString('latin1')] : [];
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    // What is left of one that was cut.
    ...(secret.length > 40 ? [secret.slice(0, 40), secret.slice(-40)] : []),
    encodeURIComponent(secret),
    bytes.toString('base64').replaceAll('=', ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
    ...raw,
  ];
}
