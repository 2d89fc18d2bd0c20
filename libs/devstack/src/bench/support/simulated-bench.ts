/** The stack beside the simulators of Microsoft and Google, in this process, with mailboxes of generated mail. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountRef } from '@mailstream/contracts';
import {
  createSimulator,
  DEMO_CLIENT,
  DEMO_GOOGLE_CLIENT,
  quotaProfile,
  type Simulator,
} from '@mailstream/simulators';
import { type Bench, startBench } from './bench.ts';

export type Simulated = 'microsoft' | 'google';

export interface SimulatedBench extends Omit<Bench, 'addAccount' | 'defer'> {
  readonly control: Simulator['control'];
  /** Makes a mailbox; what is returned connects it as an account, and does not wait for its import. */
  addMailbox(messages: number, address?: string, at?: Simulated): () => Promise<AccountRef>;
}

const PROJECT = `projects/${DEMO_GOOGLE_CLIENT.project}`;
const PUSH = {
  topic: `${PROJECT}/topics/gmail`,
  audience: 'https://mailstream.example.com',
  serviceAccountEmail: `push@${DEMO_GOOGLE_CLIENT.project}.example.com`,
};

/**
 * No throttling, no quotas, no delays, unless `control` is told so: what is measured is ours. `env` is for the services. Gmail notifies where
 * `gmailPushes`; otherwise it is polled.
 */
export async function startSimulatedBench(
  provider: Simulated,
  env: Readonly<Record<string, string>> = {},
  { gmailPushes = false } = {},
): Promise<SimulatedBench> {
  const simulator = await createSimulator({ startAt: Date.now(), realTime: true });
  const { control } = simulator;
  control.behave({ quota: quotaProfile('off') });
  const bench = await startBench(async ({ dir, defer }) => {
    defer(() => simulator.close());
    const push = gmailPushes ? pushEnvironment(simulator) : {};
    return { env: { ...environmentOf(simulator, dir), ...push, ...env }, notifiedLocally: true };
  });
  if (gmailPushes) {
    const { topic, ...rest } = PUSH;
    const pushEndpoint = `${bench.stack.url}/v1/webhooks/google`;
    control.createTopic({ topic });
    control.subscribe({ subscription: `${PROJECT}/subscriptions/gmail`, topic, pushEndpoint, ...rest });
  }
  let made = 0;
  return {
    ...bench,
    control,
    addMailbox(messages, address = `bench-${made}@example.com`, at = provider) {
      made += 1;
      control.createMailbox({ address, messages, provider: at });
      return () =>
        bench.addAccount({ provider: at, settings: { mailbox: address }, credential: { kind: 'app' } });
    },
  };
}

function pushEnvironment({ google }: Simulator) {
  return {
    GOOGLE_CERTS_URL: `${google.url}/oauth2/v3/certs`,
    GOOGLE_PUBSUB_TOPIC: PUSH.topic,
    GOOGLE_PUSH_SERVICE_ACCOUNT: PUSH.serviceAccountEmail,
    GOOGLE_PUSH_AUDIENCE: PUSH.audience,
  };
}

function environmentOf({ graph, entra, gmail, google }: Simulator, dir: string) {
  const caFile = join(dir, 'ca.pem');
  writeFileSync(caFile, graph.ca);
  const keyFile = join(dir, 'service-account.json');
  writeFileSync(keyFile, JSON.stringify(google.serviceAccount));
  const unlimited = String(quotaProfile('off').unitsPerMinute);
  return {
    NODE_EXTRA_CA_CERTS: caFile,
    MS_GRAPH_URL: graph.url,
    MS_AUTHORITY: `${entra.url}/common`,
    MS_CLIENT_ID: DEMO_CLIENT.id,
    MS_CLIENT_SECRET: DEMO_CLIENT.secret ?? '',
    GMAIL_BASE_URL: gmail.url,
    GMAIL_UNITS_PER_MINUTE: unlimited,
    GMAIL_PROJECT_UNITS_PER_MINUTE: unlimited,
    GOOGLE_TOKEN_URL: `${google.url}/token`,
    GOOGLE_CLIENT_ID: DEMO_GOOGLE_CLIENT.id,
    GOOGLE_CLIENT_SECRET: DEMO_GOOGLE_CLIENT.secret,
    GOOGLE_SERVICE_ACCOUNT_FILE: keyFile,
  };
}
