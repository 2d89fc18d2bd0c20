/** Who may do what on the real server with the generated configuration: what is denied is the point. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { subjects, uuidv7 } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { type NatsConnection, nanos, nkeyAuthenticator } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inboxOf } from '../inbox.ts';
import { type Bus, connectBus } from '../index.ts';
import { json, silent, until } from '../testkit.ts';
import { createUserKey, type UserKey } from './keys.ts';
import { accountsConfig, SERVICE_USERS } from './server-config.ts';

const dir = mkdtempSync(join(tmpdir(), 'mailstream-users-'));
const NAMES = [...SERVICE_USERS, 'acme', 'colleague', 'globex'] as const;
type Name = (typeof NAMES)[number];
const keys = Object.fromEntries(NAMES.map((name) => [name, createUserKey()])) as Record<Name, UserKey>;
const acme = { tenant: 'acme', account: uuidv7() };
const globex = { tenant: 'globex', account: uuidv7() };
const stop = new AbortController();

let nats: TestNats;
let bus: Record<Name, Bus>;
let bare: Record<Name, NatsConnection>;
let lending: Promise<void>;

beforeAll(async () => {
  const accountsFile = join(dir, 'accounts.conf');
  writeFileSync(
    accountsFile,
    accountsConfig([
      ...SERVICE_USERS.map((service) => ({ service, publicKey: keys[service].publicKey })),
      { tenant: 'acme', name: 'crm', publicKey: keys.acme.publicKey },
      { tenant: 'acme', name: 'colleague', publicKey: keys.colleague.publicKey },
      { tenant: 'globex', name: 'crm', publicKey: keys.globex.publicKey },
    ]),
  );
  nats = await createNats({ accountsFile });
  bus = await each((name) => connectBus({ url: nats.url, name, nkeySeed: keys[name].seed, logger: silent }));
  bare = await each((name) =>
    connect({
      servers: nats.url,
      authenticator: nkeyAuthenticator(new TextEncoder().encode(keys[name].seed)),
      inboxPrefix: inboxOf(keys[name].publicKey),
    }),
  );
  await bus.orchestrator.ensureTopology();
  lending = bus.projector.lendReaders(stop.signal);
  for (const at of [acme, globex])
    for (const n of [1, 2])
      await bus.projector.publish({ subject: subjects.change(at, 'message', 'created'), data: { n } });
  await until(() =>
    bus.acme
      .changesOf('acme')
      .state('CHANGES')
      .then(Boolean, () => false),
  );
});

afterAll(async () => {
  stop.abort();
  await lending;
  await Promise.all([...Object.values(bus ?? {}), ...Object.values(bare ?? {})].map((one) => one.close()));
  await nats?.drop();
  rmSync(dir, { recursive: true });
});

async function each<T>(make: (name: Name) => Promise<T>): Promise<Record<Name, T>> {
  const made = await Promise.all(NAMES.map(async (name) => [name, await make(name)] as const));
  return Object.fromEntries(made) as Record<Name, T>;
}

/** What the server says to a request: its answer, or why there is none. */
async function ask(name: Name, subject: string, body: object | string = ''): Promise<string> {
  const data = typeof body === 'string' ? body : JSON.stringify(body);
  try {
    const reply = await bare[name].request(subject, data, { timeout: 3_000 });
    return reply.headers?.code ? `status ${reply.headers.code}` : reply.string();
  } catch (error) {
    return String(error);
  }
}

/** Neither sent on nor answered with anything but a refusal. */
const DENIED = /Permissions Violation|no responders|not enabled for account/i;

/** How many messages a stream holds, for the operator. */
const count = async (stream: 'MAIL' | 'SYNC' | 'CHANGES' | 'PUSH') =>
  (await bus.operator.state(stream)).messages;

describe('services', () => {
  it('do what they are there for', async () => {
    const hint = subjects.hint(acme, 'push');
    expect(await bus.gateway.publish({ subject: hint, data: {} })).toBeGreaterThan(0n);
    const many = [subjects.hint(acme, 'user'), subjects.hint(globex, 'push')];
    const stored = await bus.gateway.publishBatch(
      many.map((subject) => ({ subject, data: {} })),
      null,
    );
    expect(stored.outcome).toBe('committed');
    const target = subjects.push('microsoft', 'one');
    await bus.orchestrator.publish({ subject: target, data: { targets: [] } });
    expect(json((await bus.gateway.last('PUSH', target))!.data)).toEqual({ targets: [] });
    const answering = new AbortController();
    const answers = bus.orchestrator.respond(
      subjects.apiKey,
      'g',
      async () => ({ key: null }),
      answering.signal,
    );
    for (const name of ['gateway', 'fetcher', 'projector'] as const)
      await until(() => bus[name].request(subjects.apiKey, {}, 2_000).then(Boolean, () => false));
    answering.abort();
    await answers;
    const cursor = subjects.cursor(acme, 'inbox');
    const page = [subjects.fact(acme, 'message.changed'), cursor].map((subject) => ({ subject, data: {} }));
    expect((await bus.fetcher.publishBatch(page, { subject: cursor, sequence: 0n })).outcome).toBe(
      'committed',
    );
    expect((await bus.fetcher.last('MAIL', cursor))?.subject).toBe(cursor);
    expect((await bus.projector.last('MAIL', 'mail.*.*.*.cursor.*'))?.subject).toBe(cursor);
  });

  const others = ['gateway', 'fetcher', 'projector', 'acme'] as const;

  it.each(others)('%s cannot change, empty or delete a stream', async (name) => {
    for (const call of ['DELETE', 'PURGE', 'UPDATE', 'CREATE', 'SNAPSHOT', 'MSG.DELETE'])
      for (const stream of ['MAIL', 'CHANGES', 'SYNC'])
        expect(await ask(name, `$JS.API.STREAM.${call}.${stream}`, { name: stream, seq: 1 })).toMatch(DENIED);
  });

  it.each([
    ['gateway', subjects.fact(acme, 'message.changed')],
    ['gateway', subjects.schedule(acme, 'poll')],
    ['gateway', subjects.fetched(acme, 'inbox')],
    ['gateway', subjects.push('microsoft', 'one')],
    ['gateway', subjects.change(acme, 'message', 'created')],
    ['gateway', subjects.credentials(acme)],
    ['gateway', '$JS.API.STREAM.MSG.GET.MAIL'],
    ['gateway', '$JS.API.DIRECT.GET.PUSH'],
    ['gateway', `$JS.API.DIRECT.GET.CHANGES.${subjects.change(acme, 'message', 'created')}`],
    ['gateway', `$JS.API.CONSUMER.CREATE.PUSH.x`],
    ['fetcher', subjects.fact(acme, 'account.removed')],
    ['fetcher', subjects.change(acme, 'message', 'created')],
    ['fetcher', subjects.schedule(acme, 'poll')],
    ['fetcher', subjects.job('imap', 'live', acme.account, 'inbox')],
    ['fetcher', subjects.push('microsoft', 'one')],
    ['fetcher', '$JS.API.CONSUMER.CREATE.MAIL.x'],
    ['fetcher', '$JS.API.STREAM.MSG.GET.MAIL'],
    ['fetcher', `$JS.API.DIRECT.GET.MAIL.${subjects.fact(acme, 'message.changed')}`],
    ['projector', subjects.credentials(acme)],
    ['projector', subjects.fact(acme, 'message.changed')],
    ['projector', subjects.fact(acme, 'account.removed')],
    ['projector', subjects.job('imap', 'live', acme.account, 'inbox')],
    ['projector', '$JS.API.CONSUMER.CREATE.FETCH.x'],
    ['orchestrator', '$JS.API.STREAM.DELETE.MAIL'],
    ['orchestrator', subjects.change(acme, 'message', 'created')],
  ] as const)('%s cannot send to %s', async (name, subject) => {
    expect(await ask(name, subject, {})).toMatch(DENIED);
  });

  it.each(others)('%s hears neither the log nor what others are told', async (name) => {
    for (const subject of ['>', 'mail.>', 'sync.>', 'broker.>', '_INBOX.>', '$JS.ACK.>', '$JS.EVENT.>']) {
      if (name === 'projector' && subject === 'broker.>') continue;
      const refused = Promise.withResolvers<unknown>();
      bare[name].subscribe(subject, { callback: (error) => refused.resolve(error?.message) });
      expect(await refused.promise).toMatch(/Permissions Violation for Subscription/);
    }
  });

  it('without a key get in nowhere', async () => {
    await expect(connectBus({ url: nats.url, name: 'nobody', logger: silent })).rejects.toThrow(
      /authorization/i,
    );
    const stranger = { url: nats.url, name: 'stranger', nkeySeed: createUserKey().seed, logger: silent };
    await expect(connectBus(stranger)).rejects.toThrow(/authorization/i);
  });
});

describe('a subscriber', () => {
  it('asks for syncs, reads the changes of its tenant, and keeps its place', async () => {
    const changes = bus.acme.changesOf('acme');
    const { last, first } = await changes.state('CHANGES');
    expect(await changes.at('CHANGES', first)).toEqual({ time: expect.any(Date) });
    const read: string[] = [];
    const done = new AbortController();
    for await (const stored of changes.read(
      'CHANGES',
      ['changes.acme.*.message.*', 'changes.acme.*.thread.*'],
      1n,
      done.signal,
    )) {
      read.push(...stored.map(({ subject }) => subject));
      if (read.length >= 2) break;
    }
    expect(new Set(read)).toEqual(new Set([subjects.change(acme, 'message', 'created')]));
    expect(last).toBeGreaterThanOrEqual(4n);
    expect((await changes.last('CHANGES', '>'))?.subject).toBe(subjects.change(acme, 'message', 'created'));
    const heard: string[] = [];
    bare.acme.subscribe('changes.acme.>', { callback: (_, msg) => void heard.push(msg.subject) });
    await bare.acme.flush();
    await bus.projector.publish({ subject: subjects.change(acme, 'message', 'created'), data: {} });
    await until(() => heard.length === 1);
    expect(await bus.acme.publish({ subject: subjects.hint(acme, 'user'), data: {} })).toBeGreaterThan(0n);
    const place = subjects.subscriber('acme', 'crm');
    const saved = await bus.acme.publishBatch([{ subject: place, data: { n: 1 } }], {
      subject: place,
      sequence: 0n,
    });
    expect(saved.outcome).toBe('committed');
    expect(json((await bus.acme.last('SUBSCRIBERS', place))!.data)).toEqual({ n: 1 });
  });

  it('gets no reader of what is not its own', async () => {
    for (const filter of [
      'changes.>',
      'changes.*.*.message.*',
      'changes.globex.>',
      '>',
      'changes.acme',
      'relay.>',
    ])
      expect(await lent('acme', filter)).toMatch(/no filter for changes of acme/);
    await expect(bus.acme.changesOf('globex').state('CHANGES')).rejects.toMatchObject({
      code: 'bus.refused',
    });
    await expect(bus.acme.last('CHANGES', 'changes.globex.>')).rejects.toThrow(/nobody listens|Permissions/);
  });

  it.each([
    ['the last message', `$JS.API.DIRECT.GET.CHANGES.changes.globex.>`, ''],
    ['the last message under a wildcard', `$JS.API.DIRECT.GET.CHANGES.changes.*.>`, ''],
    ['a message by its number', '$JS.API.STREAM.MSG.GET.CHANGES', { seq: 3 }],
    ['a message by its number, directly', '$JS.API.DIRECT.GET.CHANGES', { seq: 3 }],
    ['the subjects', '$JS.API.STREAM.INFO.CHANGES', { subjects_filter: '>' }],
    ['the readers there are', '$JS.API.CONSUMER.NAMES.CHANGES', ''],
    [
      'a reader of all',
      '$JS.API.CONSUMER.CREATE.CHANGES.mine',
      { stream_name: 'CHANGES', config: { name: 'mine' } },
    ],
    [
      'a reader of its own',
      '$JS.API.CONSUMER.CREATE.CHANGES.mine.changes.acme.>',
      { stream_name: 'CHANGES', config: { name: 'mine', filter_subject: 'changes.acme.>' } },
    ],
    [
      'a durable reader',
      '$JS.API.CONSUMER.DURABLE.CREATE.CHANGES.mine',
      { stream_name: 'CHANGES', config: { durable_name: 'mine' } },
    ],
    ['a hint', subjects.hint(globex, 'push'), ''],
    ['a schedule', subjects.schedule(acme, 'poll'), ''],
    ['a change', subjects.change(acme, 'message', 'created'), {}],
    ['its place', subjects.subscriber('globex', 'crm'), {}],
    ['credentials', subjects.credentials(acme), {}],
    ['an API key', subjects.apiKey, {}],
  ] as const)('cannot have or send %s', async (_, subject, body) => {
    expect(await ask('acme', subject, body)).toMatch(DENIED);
  });

  it('cannot ask for more by what it adds to an allowed question', async () => {
    const own = `$JS.API.DIRECT.GET.CHANGES.${subjects.change(acme, 'message', 'created')}`;
    for (const body of [
      { seq: 3 },
      { last_by_subj: 'changes.globex.>' },
      { multi_last: ['changes.globex.>'] },
    ])
      expect(await ask('acme', own, body)).not.toContain('globex');
    expect(await ask('acme', own, { seq: 3 })).toMatch(/status 408/);
  });

  it('hears nothing of others, not even of its own tenant', async () => {
    for (const subject of [
      'changes.>',
      'changes.globex.>',
      'changes.*.*.*.*',
      `${inboxOf(keys.globex.publicKey)}.>`,
      `${inboxOf(keys.colleague.publicKey)}.>`,
    ]) {
      const refused = Promise.withResolvers<unknown>();
      bare.acme.subscribe(subject, { callback: (error) => refused.resolve(error?.message) });
      expect(await refused.promise).toMatch(/Permissions Violation for Subscription/);
    }
  });

  it('cannot have answers sent into the streams of others', async () => {
    const [mail, push] = [await count('MAIL'), await count('PUSH')];
    const { consumer } = JSON.parse(await lent('acme', 'changes.acme.>'));
    const pull = `$JS.API.CONSUMER.MSG.NEXT.CHANGES.${consumer}`;
    for (const reply of [
      subjects.fact(globex, 'message.changed'),
      subjects.push('imap', 'x'),
      '$JS.API.STREAM.PURGE.MAIL',
      '$JS.API.STREAM.DELETE.MAIL',
    ]) {
      bare.acme.publish(subjects.hint(acme, 'push'), '', { reply });
      bare.acme.publish(pull, JSON.stringify({ batch: 1, expires: nanos(500) }), { reply });
    }
    await bare.acme.flush();
    // The server handles what one connection sends in order.
    expect(await ask('acme', subjects.hint(acme, 'push'))).toContain('"SYNC"');
    expect([await count('MAIL'), await count('PUSH')]).toEqual([mail, push]);
  });

  it('is lent readers whose names cannot be guessed', async () => {
    const names = await Promise.all(
      [1, 2].map(async () => JSON.parse(await lent('acme', 'changes.acme.>')).consumer),
    );
    expect(names[0]).toMatch(/^reader-[0-9a-f-]{36}$/);
    expect(names[0].slice(0, 20)).not.toBe(names[1].slice(0, 20));
  });
});

/** What the projector answers to who asks for a reader. */
async function lent(name: 'acme' | 'globex', filter: string): Promise<string> {
  const question = { read: { filters: [filter], from: { sequence: '1' } } };
  const reply = await bare[name].request(subjects.changesReader(name), JSON.stringify(question), {
    timeout: 5_000,
  });
  return reply.headers?.get('Nats-Service-Error') || reply.string();
}
