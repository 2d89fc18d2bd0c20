// Subscription jobs against a real NATS and a simulated Graph: what is reported when the provider refuses.
import { type Bus, connectBus } from '@mailstream/bus';
import {
  type CredentialsReply,
  type SubscriptionJob,
  type SubscriptionReport,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import { createProviders, readProvidersConfig } from '@mailstream/providers';
import { createLogger, readEnv } from '@mailstream/runtime';
import { createGraphAccount, createNats, type SimulatedAccount, type TestNats } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createSessions } from './sessions.ts';
import { createSubscriptionConsumers } from './subscriptions.ts';

const logger = createLogger('test', 'silent');
const over = new AbortController();
/** Of nobody: the provider makes no subscription for it. */
const NOWHERE = 'http://127.0.0.1:9/v1/webhooks/microsoft';

let nats: TestNats;
let microsoft: SimulatedAccount;
let bus: Bus;
let running: Promise<unknown>;

beforeAll(async () => {
  [nats, microsoft] = await Promise.all([
    createNats(),
    createGraphAccount({ startAt: Date.now(), realTime: true }),
  ]);
  bus = await connectBus({ url: nats.url, name: 'test', logger });
  await bus.ensureTopology();
  const env = { MS_GRAPH_URL: microsoft.simulator.graph.url };
  const providers = createProviders(readProvidersConfig(readEnv(env))).filter(
    ({ name }) => name === 'microsoft',
  );
  const sessions = createSessions({ bus, providers, logger, idleMs: 1_000 });
  const consumers = createSubscriptionConsumers({ bus, sessions, logger, providers });
  running = Promise.all([
    bus.respond('broker.credentials.*.*', 'test', credentials, over.signal),
    ...[sessions.part, ...consumers].map((part) => part.run(over.signal)),
  ]);
});
afterAll(async () => {
  over.abort(new DOMException('over', 'AbortError'));
  await running;
  await bus.close();
  await Promise.all([nats.drop(), microsoft.close()]);
});

async function credentials(): Promise<CredentialsReply> {
  return {
    ok: true,
    settings: { mailbox: null },
    credential: microsoft.credential(),
    credentialVersion: 1,
  };
}

/** What is reported of keeping a subscription of an account nobody else uses. */
async function keep(known: string | null, end: string | null = null): Promise<SubscriptionReport> {
  const at = { tenant: 'default', account: uuidv7() };
  const job: SubscriptionJob = {
    ...at,
    provider: 'microsoft',
    credentialVersion: 1,
    end,
    keep: { known, notificationUrl: NOWHERE },
  };
  await bus.offer('FETCH', subjects.subscriptionJob('microsoft', at.account, 'keep'), job);
  return vi.waitFor(
    async () => {
      const stored = await bus.last('SYNC', subjects.subscription(at, 'reported'));
      if (!stored) throw new Error('nothing is reported yet');
      return JSON.parse(new TextDecoder().decode(stored.data));
    },
    { timeout: 20_000 },
  );
}

const unreachable = { ok: false, failure: 'permanent', code: 'graph.webhook_unreachable' };

describe('a subscription that is refused', () => {
  it('in place of one that has ended: the report says both', async () => {
    expect(await keep('ended-long-ago')).toMatchObject({ ...unreachable, gone: 'ended-long-ago' });
  });

  it('in place of one that told another address: that was ended before', async () => {
    expect(await keep(null, 'tells-elsewhere')).toMatchObject({ ...unreachable, gone: 'tells-elsewhere' });
  });

  it('where none was: none has ended', async () => {
    const report = await keep(null);
    expect(report).toMatchObject(unreachable);
    expect(report).not.toHaveProperty('gone');
  });

  it('to be renewed: whether it has ended is not known', async () => {
    const fault = { kind: 'status', status: 403 } as const;
    microsoft.simulator.control.fault({ method: 'PATCH', path: '/subscriptions/', times: 1, fault });
    const report = await keep('still-there');
    expect(report).toMatchObject({ ok: false, failure: 'auth' });
    expect(report).not.toHaveProperty('gone');
  });
});
