/** Google for end-to-end tests: a simulated Gmail mailbox, what the services are to be told of it, and its pushes to the gateway. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Account } from '@mailstream/contracts';
import { createGmailAccount, type SimulatedAccount } from '@mailstream/testing';
import type { Mailbox } from './harness.ts';
import { folderLine, type Listing, messageLine } from './listings.ts';
import type { Rest } from './rest.ts';

const PROJECT = 'projects/demo-project';
const TOPIC = `${PROJECT}/topics/gmail`;
const AUDIENCE = 'mailstream-end-to-end';
const SENDER = 'push@demo-project.example.com';

export interface Google {
  readonly control: SimulatedAccount['simulator']['control'];
  /** The address of the mailbox. */
  readonly address: string;
  /** For the services. */
  readonly env: Readonly<Record<string, string>>;
  /** From now on Pub/Sub pushes to this gateway. */
  pushTo(gatewayUrl: string): void;
  /** Connects the mailbox for whoever calls, by a service account; its import begins. */
  connect(rest: Rest): Promise<Mailbox>;
  stop(): Promise<void>;
}

export async function startGoogle(messages: number): Promise<Google> {
  const { simulator, mailbox, world, close } = await createGmailAccount({
    startAt: Date.now(),
    realTime: true,
    account: { messages },
  });
  const { control, gmail, google } = simulator;
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-google-'));
  const [caFile, keyFile] = [join(dir, 'ca.pem'), join(dir, 'key.json')];
  writeFileSync(caFile, gmail.ca);
  writeFileSync(keyFile, JSON.stringify(google.serviceAccount));
  control.createTopic({ topic: TOPIC });

  async function truth(): Promise<Listing> {
    const mailboxes = await world.list();
    return mailboxes
      .flatMap(({ path, messages }) => [
        folderLine(path),
        ...messages.map(({ id, flags }) => messageLine(path, id, flags)),
      ])
      .sort();
  }

  return {
    control,
    address: mailbox,
    env: {
      GMAIL_BASE_URL: gmail.url,
      GOOGLE_TOKEN_URL: `${google.url}/token`,
      GOOGLE_CERTS_URL: `${google.url}/oauth2/v3/certs`,
      GOOGLE_SERVICE_ACCOUNT_FILE: keyFile,
      GOOGLE_PUBSUB_TOPIC: TOPIC,
      GOOGLE_PUSH_SERVICE_ACCOUNT: SENDER,
      GOOGLE_PUSH_AUDIENCE: AUDIENCE,
      NODE_EXTRA_CA_CERTS: caFile,
    },
    pushTo(gatewayUrl) {
      control.subscribe({
        subscription: `${PROJECT}/subscriptions/gmail`,
        topic: TOPIC,
        pushEndpoint: `${gatewayUrl}/v1/webhooks/google`,
        audience: AUDIENCE,
        serviceAccountEmail: SENDER,
      });
    },
    async connect(rest) {
      const body = { provider: 'google', settings: { mailbox }, credential: { kind: 'app' } };
      const { id } = await rest.send(Account, 'POST', '/v1/accounts', body);
      return { account: id, truth };
    },
    async stop() {
      await close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
