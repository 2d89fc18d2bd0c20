/** For tests: an orchestrator that keeps subscriptions, at providers that nobody asks. What fetchers would say is said by the test. */
import { type Bus, connectBus } from '@mailstream/bus';
import type { Account, AccountRef, SubscriptionReport } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import type { Provider } from '@mailstream/providers';
import { createHttpServer, createLogger, createMetrics, type HttpServer } from '@mailstream/runtime';
import { authenticate, createDatabase, createNats, tokenOf } from '@mailstream/testing';
import { Type } from 'typebox';
import { vi } from 'vitest';
import { createLocalKeys } from '../credentials/local-keys.ts';
import { createVault } from '../credentials/vault.ts';
import { createOrchestrator } from '../orchestrator.ts';
import { openOrchestratorDatabase } from '../testkit.ts';

export const DAY = 86_400_000;
export const HASH = 'a'.repeat(64);
/** Where the gateway is, for providers, unless a test moves it. */
export const PUBLIC_URL = 'https://mail.example.com';

const LIMITS = { inFlight: 3, pollMs: 60_000, deepPollMs: 900_000, lostMs: 600_000, backPressureMs: 1_000 };
const logger = createLogger('test', 'silent');
const headers = { authorization: `Bearer ${await tokenOf()}` };

/** Whoever would ask it is not here: this is about what the orchestrator wants asked. */
export const provider: Provider = {
  name: 'dove',
  push: 'webhook',
  scope: 'mailbox',
  settings: Type.Object({}),
  credential: Type.Object({}),
  describe: () => 'a mailbox',
  connect: () => Promise.reject(new Error('nobody connects here')),
};

export interface SubscriptionWorld {
  readonly bus: Bus;
  readonly db: Db;
  /** Asks the API of the orchestrator that runs now. */
  ask(
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    payload?: object,
  ): Promise<Awaited<ReturnType<HttpServer['inject']>>>;
  /** Connects a mailbox. */
  add(settings: object): Promise<AccountRef>;
  webhookOf(at: AccountRef): Promise<Account['webhook']>;
  /** The last on a subject; null when there is none. */
  read<T>(stream: 'FETCH' | 'PUSH', subject: string): Promise<T | null>;
  /** The rows that hold its credential: none once it is removed. */
  credentialOf(at: AccountRef): Promise<readonly object[]>;
  /** Milliseconds until the provider is asked next. */
  dueIn(at: AccountRef): Promise<number>;
  /** Another orchestrator in place of the one that runs; `publicUrl` is null where providers cannot reach us. */
  restart(publicUrl: string | null): Promise<void>;
  close(): Promise<void>;
}

/** Accounts are of the one provider there is. */
export async function startSubscriptionWorld(of: Provider): Promise<SubscriptionWorld> {
  const [nats, database] = await Promise.all([createNats(), createDatabase()]);
  const { db, tenants, close } = await openOrchestratorDatabase(database.url);
  const bus = await connectBus({ url: nats.url, name: 'test', logger });
  await bus.ensureTopology();

  async function startOrchestrator(publicUrl: string | null) {
    const metrics = createMetrics();
    const app = await createHttpServer({ title: 'test', logger, authenticate, ready: () => true, metrics });
    const over = new AbortController();
    const config = {
      limits: LIMITS,
      maxLag: 20_000,
      sweepMs: 100,
      privateHosts: 'everywhere' as const,
      auditDays: 30,
      publicUrl,
      connect: { url: 'http://localhost:8080', returnOrigins: [] },
    };
    const vault = createVault(createLocalKeys(async () => [{ id: 'first', key: Buffer.alloc(32, 7) }]));
    const deps = { bus, db, tenants, vault, app, logger, metrics, providers: [of], config };
    const parts = createOrchestrator(deps);
    const all = Promise.all(parts.map((part) => part.run(over.signal)));
    return {
      app,
      stop: async () => {
        over.abort(new DOMException('over', 'AbortError'));
        await all;
        await app.close();
      },
    };
  }

  let running = await startOrchestrator(PUBLIC_URL);
  const ask: SubscriptionWorld['ask'] = (method, url, payload) =>
    running.app.inject({ method, url, headers, ...(payload && { payload }) });
  return {
    bus,
    db,
    ask,
    async add(settings) {
      const answer = await ask('POST', '/v1/accounts', { provider: of.name, settings, credential: {} });
      if (answer.statusCode !== 201) throw new Error(answer.body);
      return { tenant: 'default', account: answer.json<Account>().id };
    },
    webhookOf: async ({ account }) => (await ask('GET', `/v1/accounts/${account}`)).json<Account>().webhook,
    async read(stream, subject) {
      const stored = await bus.last(stream, subject);
      return stored && JSON.parse(new TextDecoder().decode(stored.data));
    },
    credentialOf: ({ account }) =>
      db.query('SELECT account FROM control.credential WHERE account = $1', [account]),
    async dueIn({ account }) {
      const [row] = await db.query<{ due: Date }>(
        'SELECT due_at AS due FROM control.subscription WHERE account = $1',
        [account],
      );
      return (row?.due.getTime() ?? Number.NaN) - Date.now();
    },
    async restart(publicUrl) {
      await running.stop();
      running = await startOrchestrator(publicUrl);
    },
    async close() {
      await running.stop();
      await bus.close();
      await close();
      await Promise.all([nats.drop(), database.drop()]);
    },
  };
}

/** What a fetcher says of a subscription that the provider has made, for six days. */
export function madeAt(notificationUrl: string, id: string, over: object = {}): SubscriptionReport {
  const expiresAt = new Date(Date.now() + 6 * DAY).toISOString();
  return { ok: true, id, secretHash: HASH, notificationUrl, expiresAt, ...over };
}

/** A busy machine must not turn slow into wrong. */
export const waitFor = <T>(condition: () => Promise<T>): Promise<T> =>
  vi.waitFor(condition, { timeout: 30_000 });
