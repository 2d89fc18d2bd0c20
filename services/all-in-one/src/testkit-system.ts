/** For tests: the services behind one door, in this process, with all that a tenant may have in them. No fetcher: what providers say is put into the log here. */
import { type Bus, connectBus, type Outgoing } from '@mailstream/bus';
import { type AccountRef, EVENT_TYPES, envelope, subjects, uuidv7 } from '@mailstream/contracts';
import examples from '@mailstream/contracts/examples.json' with { type: 'json' };
import { freePort } from '@mailstream/devstack';
import { startGateway } from '@mailstream/ingest-gateway';
import { startProjector } from '@mailstream/mailbox-projector';
import { createHealth, createLogger, createMetrics, type Service } from '@mailstream/runtime';
import { startOrchestrator } from '@mailstream/sync-orchestrator';
import { createDatabase, createNats, TEST_AUTH, tokenOf } from '@mailstream/testing';

export interface Answer {
  readonly status: number;
  readonly text: string;
}

export interface Caller {
  readonly token: string;
  /** Through the door. */
  call(method: string, path: string, body?: unknown): Promise<Answer>;
}

export interface System {
  /** The gateway's base URL. */
  readonly url: string;
  readonly bus: Bus;
  /** Somebody who may do everything in a tenant. */
  callerOf(tenant: string): Promise<Caller>;
  stop(): Promise<void>;
}

export async function startSystem(): Promise<System> {
  const [nats, database] = await Promise.all([createNats(), createDatabase()]);
  const [door, orchestrator, projector] = [await freePort(), await freePort(), await freePort()];
  const env = {
    NATS_URL: nats.url,
    DATABASE_URL: database.url,
    MAILSTREAM_JWT_KEY: TEST_AUTH.key ?? '',
    MAILSTREAM_KEY: Buffer.alloc(32, 7).toString('base64'),
    MS_CLIENT_ID: 'an application',
    MS_CLIENT_SECRET: 'its secret',
    MAILSTREAM_ORCHESTRATOR_URL: `http://127.0.0.1:${orchestrator}`,
    MAILSTREAM_PROJECTOR_URL: `http://127.0.0.1:${projector}`,
  };
  const logger = createLogger('test', 'silent');
  const kit = { logger, metrics: createMetrics(), health: createHealth() };
  const at = (port: number) => ({ ...env, MAILSTREAM_HTTP_PORT: String(port) });
  const over = new AbortController();
  const running: Promise<void>[] = [];
  const services: Service[] = [];
  for (const start of [
    () => startOrchestrator(kit, at(orchestrator)),
    () => startProjector(kit, at(projector)),
    () => startGateway(kit, at(door)),
  ]) {
    const service = await start();
    services.push(service);
    running.push(...service.parts.map((part) => part.run(over.signal)));
  }
  const bus = await connectBus({ url: nats.url, name: 'test', logger });
  const url = `http://127.0.0.1:${door}`;
  return {
    url,
    bus,
    async callerOf(tenant) {
      const token = await tokenOf({ tenant });
      return { token, call: (method, path, body) => call(url + path, token, method, body) };
    },
    async stop() {
      over.abort(new DOMException('over', 'AbortError'));
      await Promise.all(running);
      for (const { close } of services.toReversed()) for (const one of close) await one();
      await bus.close();
      await Promise.all([nats.drop(), database.drop()]);
    },
  };
}

async function call(url: string, token: string, method: string, body?: unknown): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const answer = await fetch(url, {
    method,
    headers,
    redirect: 'manual',
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: answer.status, text: await answer.text() };
}

/** A mailbox with a message in it, as a provider would have told. */
export async function tellMail(bus: Bus, at: AccountRef, subject: string): Promise<void> {
  const mailbox = examples['mailstream.mailbox.changed.v1'].data;
  const message = examples['mailstream.message.changed.v1'].data;
  const copy = { ...message.copy, mailbox: mailbox.mailbox };
  const content = { ...message.content, subject };
  await tellPage(bus, at, 'mailboxes', ['mailbox.changed', EVENT_TYPES.mailboxChanged, mailbox]);
  await tellPage(bus, at, mailbox.mailbox, [
    'message.changed',
    EVENT_TYPES.messageChanged,
    { ...message, copy, content, origin: 'live' },
  ]);
}

async function tellPage(
  bus: Bus,
  at: AccountRef,
  scope: string,
  [fact, type, data]: readonly [string, string, unknown],
): Promise<void> {
  const page = uuidv7();
  const cursor = {
    scope,
    page,
    prev: null,
    cursor: {},
    origin: 'live',
    run: page,
    count: 1,
    done: true,
    estimate: null,
  };
  const event = (of: string, what: unknown) => {
    const common = { id: uuidv7(), source: '/test', time: new Date().toISOString() };
    return envelope({ ...common, ...at, type: of, page, data: what });
  };
  const messages: Outgoing[] = [
    { subject: subjects.fact(at, fact), data: event(type, data) },
    { subject: subjects.cursor(at, scope), data: event(EVENT_TYPES.cursorAdvanced, cursor) },
  ];
  const { outcome } = await bus.publishBatch(messages, null);
  if (outcome !== 'committed') throw new Error(`the page was not stored: ${outcome}`);
}
