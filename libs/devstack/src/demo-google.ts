/** The demo Gmail mailbox: a simulator of Gmail, Google's sign-in and Pub/Sub in this process, which forgets all but its generated mail when it ends. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSimulator, DEMO_GOOGLE_CLIENT } from '@mailstream/simulators';
import type { Demo, DemoTrust } from './demo.ts';
import { firstStart } from './first-start.ts';

const ADDRESS = 'grace@gmail.example.com';

/** No more than Google lets be read in a minute, also thread by thread: nobody is to wait longer for a demonstration. */
const MESSAGES = 120;

export interface DemoGoogleOptions extends DemoTrust {
  readonly dir: string;
  /** Under which name the services reach it. */
  readonly host: string;
  readonly gmailPort: number;
  readonly googlePort: number;
  /** Where Pub/Sub pushes to: the gateway as it is reached from here. */
  readonly gatewayUrl: string;
}

export async function startDemoGoogle(options: DemoGoogleOptions): Promise<Demo> {
  const { dir, host, gmailPort, googlePort, gatewayUrl, devCa, caFile } = options;
  mkdirSync(dir, { recursive: true });
  const startAt = firstStart(dir);
  const simulator = await createSimulator({
    seed: 2,
    startAt,
    realTime: true,
    host,
    devCa,
    ports: { gmail: gmailPort, google: googlePort },
  });
  const { control, gmail, google } = simulator;
  // Its history begins anew with each run, and never with ids that an earlier run had.
  const historyStart = String(Date.now());
  control.createMailbox({
    address: ADDRESS,
    provider: 'google',
    name: 'Grace',
    messages: MESSAGES,
    historyStart,
  });
  control.advance({ ms: Math.max(0, Date.now() - startAt) });
  // The simulator forgets watches with each run: another topic has them made anew.
  const topic = `projects/${DEMO_GOOGLE_CLIENT.project}/topics/gmail-${historyStart}`;
  const pushEndpoint = `${gatewayUrl}/v1/webhooks/google`;
  const serviceAccountEmail = `push@${DEMO_GOOGLE_CLIENT.project}.example.com`;
  const subscription = `projects/${DEMO_GOOGLE_CLIENT.project}/subscriptions/gmail`;
  control.createTopic({ topic });
  control.subscribe({ subscription, topic, pushEndpoint, serviceAccountEmail });
  const keyFile = join(dir, 'service-account.json');
  writeFileSync(keyFile, JSON.stringify(google.serviceAccount), { mode: 0o600 });
  const deliver = `curl --cacert ${caFile} ${gmail.url}/__sim/deliver -d '{"mailbox":"${ADDRESS}"}'`;
  return {
    name: 'demo-gmail',
    account: { provider: 'google', settings: { mailbox: ADDRESS }, credential: { kind: 'app' } },
    callsPublicUrl: false,
    env: {
      NODE_EXTRA_CA_CERTS: caFile,
      GMAIL_BASE_URL: gmail.url,
      GOOGLE_AUTHORIZE_URL: `${google.url}/o/oauth2/v2/auth`,
      GOOGLE_TOKEN_URL: `${google.url}/token`,
      GOOGLE_CERTS_URL: `${google.url}/oauth2/v3/certs`,
      GOOGLE_CLIENT_ID: DEMO_GOOGLE_CLIENT.id,
      GOOGLE_CLIENT_SECRET: DEMO_GOOGLE_CLIENT.secret,
      GOOGLE_SERVICE_ACCOUNT_FILE: keyFile,
      GOOGLE_PUBSUB_TOPIC: topic,
      GOOGLE_PUSH_SERVICE_ACCOUNT: serviceAccountEmail,
      GOOGLE_PUSH_AUDIENCE: pushEndpoint,
    },
    howToChange: [deliver],
    child: null,
    arrive: async () => void control.deliver({ mailbox: ADDRESS }),
    stop: () => simulator.close(),
  };
}
