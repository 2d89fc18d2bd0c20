/** For tests: an orchestrator on a NATS and a database of its own, and a Microsoft to sign in with. */
import tls from 'node:tls';
import { type Bus, connectBus } from '@mailstream/bus';
import {
  type Account,
  type CredentialsReply,
  type CredentialsRequest,
  parseFactSubject,
  type RemovalStep,
  subjects,
} from '@mailstream/contracts';
import { createDb, type Database, type Db, databaseUrlsOf, openDatabase } from '@mailstream/db';
import { createProviders, type Provider, readProvidersConfig } from '@mailstream/providers';
import {
  createAuthenticate,
  createHttpServer,
  createLogger,
  createMetrics,
  type HttpServer,
  readEnv,
} from '@mailstream/runtime';
import { createSimulator, DEMO_CLIENT, type Simulator } from '@mailstream/simulators';
import { createDatabase, createNats, TEST_AUTH, tokenOf } from '@mailstream/testing';
import { vi } from 'vitest';
import { createFindKey } from './api-keys/find-api-key.ts';
import { createLocalKeys, type NamedKey } from './credentials/local-keys.ts';
import { createVault, type Vault } from './credentials/vault.ts';
import { ORCHESTRATOR_SCHEMAS } from './migrate.ts';
import { createOrchestrator, type OrchestratorDeps } from './orchestrator.ts';

const logger = createLogger('test', 'silent');
const LIMITS = { inFlight: 3, pollMs: 60_000, deepPollMs: 900_000, lostMs: 600_000, backPressureMs: 1_000 };
const TOKEN = await tokenOf();

export interface Answer<T> {
  readonly status: number;
  readonly body: T;
}

/** One process, in effect. */
export interface Replica {
  readonly app: HttpServer;
  stop(): Promise<void>;
}

export interface World extends Replica {
  /** The orchestrator that `app` is of. */
  readonly first: Replica;
  /** Logged in as the owner of the tables. */
  readonly db: Db;
  readonly databaseUrl: string;
  readonly bus: Bus;
  readonly vault: Vault;
  /** The key-encryption keys, the current one first: change them at will. */
  readonly keys: NamedKey[];
  readonly providers: readonly Provider[];
  /** Calls the API with its token. */
  call<T = Account>(
    method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
    url: string,
    body?: object,
  ): Promise<Answer<T>>;
  /** Removes an account, and waits until there is none. */
  remove(account: string): Promise<void>;
  /** Asks the token broker. */
  credentialsOf(
    account: string,
    question?: CredentialsRequest & { readonly tenant?: string },
  ): Promise<CredentialsReply>;
  /** Another orchestrator on the same servers. */
  replicate(): Promise<Replica>;
  connect(): Promise<Db>;
}

/** The database as an orchestrator has it. */
export function openOrchestratorDatabase(ownerUrl: string): Promise<Database> {
  return openDatabase({
    urls: databaseUrlsOf(ownerUrl),
    schemas: ORCHESTRATOR_SCHEMAS,
    applicationName: 'test',
    logger,
  });
}

/** `env`: what the providers are told. `reached`: what is to happen in removals after each step. */
export async function startWorld(
  env: Readonly<Record<string, string>> = {},
  reached: (step: RemovalStep) => Promise<void> = async () => undefined,
): Promise<World> {
  const [nats, database] = await Promise.all([createNats(), createDatabase()]);
  const bus = await connectBus({ url: nats.url, name: 'test', logger });
  await bus.ensureTopology();
  const keys: NamedKey[] = [{ id: 'first', key: Buffer.alloc(32, 7) }];
  const vault = createVault(createLocalKeys(async () => keys));
  const providers = createProviders(readProvidersConfig(readEnv(env)));
  const config: OrchestratorDeps['config'] = {
    limits: LIMITS,
    maxLag: 20_000,
    sweepMs: 30_000,
    auditDays: 30,
    privateHosts: 'everywhere',
    publicUrl: null,
    connect: { url: 'https://mail.example.com', returnOrigins: ['https://app.example.com'] },
  };

  const connectTo = (url: string) => createDb({ url, max: 20, applicationName: 'test', logger });

  async function replicate(): Promise<Replica> {
    const { db, tenants, close } = await openOrchestratorDatabase(database.url);
    const app = await createHttpServer({
      title: 'test',
      logger,
      authenticate: createAuthenticate(TEST_AUTH, createFindKey(db)),
      ready: () => true,
    });
    const parts = createOrchestrator({
      bus,
      db,
      tenants,
      vault,
      app,
      logger,
      metrics: createMetrics(),
      config,
      providers,
      reached,
    });
    const over = new AbortController();
    const running = Promise.all(parts.map((part) => part.run(over.signal)));
    let stopped: Promise<void> | undefined;
    const stop = async () => {
      over.abort(new DOMException('over', 'AbortError'));
      await running;
      await app.close();
      await close();
    };
    return { app, stop: () => (stopped ??= stop()) };
  }

  /** In place of the projector: the view of a removed account is empty at once. */
  const erase = async (signal: AbortSignal) => {
    for await (const facts of bus.read('MAIL', 'mail.*.*.*.account.removed', 1n, signal))
      for (const { subject } of facts) {
        const at = parseFactSubject(subject);
        if (at) await bus.publish({ subject: subjects.change(at, 'account', 'erased'), data: {} });
      }
  };
  const over = new AbortController();
  const erasing = erase(over.signal);
  const first = await replicate();
  const owner = connectTo(database.url);
  const headers = { authorization: `Bearer ${TOKEN}` };
  return {
    ...first,
    first,
    db: owner,
    databaseUrl: database.url,
    bus,
    vault,
    keys,
    providers,
    replicate,
    connect: async () => connectTo(databaseUrlsOf(database.url).service),
    async call<T>(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', url: string, body?: object) {
      const answer = await first.app.inject({
        method,
        url,
        headers,
        ...(body && { payload: body }),
      });
      return { status: answer.statusCode, body: answer.body === '' ? (null as T) : answer.json<T>() };
    },
    async remove(account) {
      const url = `/v1/accounts/${account}`;
      await first.app.inject({ method: 'DELETE', url, headers });
      await vi.waitFor(
        async () => {
          const { statusCode } = await first.app.inject({ url, headers });
          if (statusCode !== 404) throw new Error(`${account} is still there`);
        },
        { timeout: 30_000, interval: 50 },
      );
    },
    async credentialsOf(account, { tenant = 'default', ...question } = {}) {
      const data = await bus.request(subjects.credentials({ tenant, account }), question, 15_000);
      return JSON.parse(new TextDecoder().decode(data));
    },
    async stop() {
      await first.stop();
      await owner.close();
      over.abort();
      await erasing;
      await bus.close();
      await Promise.all([nats.drop(), database.drop()]);
    },
  };
}

export interface MicrosoftWorld extends World {
  readonly simulator: Simulator;
  /** Asks to connect, signs in as `as`, comes back: what the browser is shown then. */
  signIn(query?: string, as?: string): Promise<BrowserAnswer>;
  /** Where the API sends the browser. */
  begin(query?: string): Promise<string>;
  /** Signs in at Microsoft. Returns the path it sends the browser back to. */
  agree(url: string, as?: string): Promise<string>;
  /** Calls a path as a browser does, without a token. */
  browse(path: string): Promise<BrowserAnswer>;
  /** Requests for tokens since the simulator's log was cleared. */
  tokenRequests(): number;
}

export interface BrowserAnswer {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
}

/** With `ada@example.com` and `bob@example.com`. */
export async function startMicrosoftWorld(): Promise<MicrosoftWorld> {
  const simulator = await createSimulator({ startAt: Date.now(), realTime: true });
  const trusted = tls.getCACertificates();
  tls.setDefaultCACertificates([...trusted, simulator.entra.ca]);
  for (const name of ['ada', 'bob']) simulator.control.createMailbox({ address: `${name}@example.com` });
  const world = await startWorld({
    MS_CLIENT_ID: DEMO_CLIENT.id,
    MS_CLIENT_SECRET: DEMO_CLIENT.secret ?? '',
    MS_AUTHORITY: `${simulator.entra.url}/common`,
    MS_GRAPH_URL: simulator.graph.url,
  });

  async function begin(query = '') {
    const url = `/v1/connect/microsoft${query}`;
    const { headers, body } = await world.app.inject({ url, headers: { authorization: `Bearer ${TOKEN}` } });
    if (headers.location === undefined) throw new Error(body);
    return headers.location;
  }

  async function agree(url: string, as = 'ada@example.com') {
    const page = new URL(url);
    page.searchParams.set('account', as);
    const answer = await fetch(page, { redirect: 'manual' });
    const back = new URL(answer.headers.get('location') ?? '');
    return back.pathname + back.search;
  }

  async function browse(path: string) {
    const { statusCode, body, headers } = await world.app.inject(path);
    return { status: statusCode, text: body, location: headers.location };
  }

  return {
    ...world,
    simulator,
    begin,
    agree,
    browse,
    signIn: async (query, as) => browse(await agree(await begin(query), as)),
    tokenRequests: () =>
      simulator.control.requests().filter(({ path }) => path.endsWith('/oauth2/v2.0/token')).length,
    async stop() {
      await world.stop();
      await simulator.close();
      tls.setDefaultCACertificates(trusted);
    },
  };
}
