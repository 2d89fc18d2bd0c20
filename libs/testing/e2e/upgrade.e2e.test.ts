/**
 * A new version comes in while mail does: the migration runs under the old pods, then each service is replaced pod by pod as Kubernetes
 * does it. Nobody who reads or listens notices.
 */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { migrate } from '@mailstream/db';
import { freePort, SERVICES, type ServiceName, startService, type Unit } from '@mailstream/devstack';
import { createLogger } from '@mailstream/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type ChangeRecorder, countVerbs } from './change-recorder.ts';
import { type Front, startFront } from './front.ts';
import { type Mailbox, type System, startSystem } from './harness.ts';
import { endpoint, type Listener, reader, subscriber } from './listeners.ts';
import { type Microsoft, startMicrosoft } from './microsoft.ts';

const ADA = 'ada@contoso.example.com';
const BOB = 'bob@contoso.example.com';
const IMPORTED = 1_500;
/** Folders of one mailbox that are fetched at a time. */
const SCOPES = 2;
/** Between arrivals: there is to be load, not more than two cores can bear. */
const PAUSE_MS = 500;
/** What an import asks Microsoft for: the first page of a folder, and those after it. */
const PAGE = /\/messages\/delta$/;

const dir = mkdtempSync(join(tmpdir(), 'mailstream-upgrade-'));
const pods = new Map<ServiceName, Unit[]>();
const fronts = new Map<ServiceName, Front>();
const listeners: Listener[] = [];
const done = new AbortController();
/** What goes on in the background; ends with `done`. */
const load: Promise<void>[] = [];
const failedReads: string[] = [];
let reads = 0;
/** How many changes were told before. */
let began = 0;
let instances = 0;
let turn = 0;

let microsoft: Microsoft;
let system: System;
let recorder: ChangeRecorder;
let ada: Mailbox;

beforeAll(async () => {
  microsoft = await startMicrosoft();
  microsoft.control.createMailbox({ address: ADA, messages: 50 });
  microsoft.control.createMailbox({ address: BOB, messages: IMPORTED, userFolders: false });
  for (const name of SERVICES) fronts.set(name, await startFront());
  const env = {
    MAILSTREAM_ORCHESTRATOR_URL: front('sync-orchestrator').url,
    MAILSTREAM_PROJECTOR_URL: front('mailbox-projector').url,
    MAILSTREAM_PUBLIC_URL: front('ingest-gateway').url,
    MAILSTREAM_SCOPES_IN_FLIGHT: String(SCOPES),
  };
  system = await startSystem({ env: { ...microsoft.env, ...env }, notifiedLocally: true });
  await Promise.all(SERVICES.map(async (name) => serve(name, [system.stack.unit(name), await start(name)])));
  recorder = await system.recordChanges();
  listeners.push(await subscriber(system.stack.natsUrl));
  ada = await microsoft.connect(system, ADA);
  listeners.push(await endpoint(system.rest, ada.account));
  await system.settled();
  listeners.push(reader(gateway, system.stack.token));
});

afterAll(async () => {
  done.abort();
  await Promise.all(load);
  for (const listener of listeners) await listener.stop();
  for (const unit of [...pods.values()].flat()) await unit.stop();
  await system?.stop();
  for (const each of fronts.values()) await each.close();
  await microsoft?.stop();
  rmSync(dir, { recursive: true });
});

it('nothing is lost, told twice or refused while each service is replaced', {
  timeout: 300_000,
}, async () => {
  began = recorder.changes.length;
  load.push(arrivals(), callers());
  await migrateFurther();
  await mailFlows();

  await replace('sync-orchestrator');
  await replace('mailbox-projector');
  await replace('ingest-gateway');
  // So slow that the import goes on while both fetchers are replaced.
  microsoft.control.behave({ latencyMs: [400, 400] });
  microsoft.control.clearRequests();
  const bob = await microsoft.connect(system, BOB);
  await system.until('the import is under way', () => pagesAsked().length >= 3);
  const beforeReplaced = pagesAsked().length;
  await replace('provider-fetcher');
  expect(pagesAsked().length).toBeGreaterThan(beforeReplaced);
  microsoft.control.behave({ latencyMs: [0, 0] });

  done.abort();
  await Promise.all(load);
  expect(failedReads).toEqual([]);
  expect(reads).toBeGreaterThan(100);
  await system.until('all mail is there', async () => {
    for (const mailbox of [ada, bob]) await system.viewEqualsMailbox(mailbox);
  });
  await system.settled();
  for (const mailbox of [ada, bob]) await system.expectChangesTellView(recorder, mailbox);
  expect(countVerbs(recorder.changes)['message.created']).toBeGreaterThan(IMPORTED + 50);
  // Of each fetcher that went the page that each of its jobs was at.
  expect(askedAgain().length).toBeLessThanOrEqual(2 * SCOPES);
  for (const listener of listeners) await expectToldAll(listener, ada);
  for (const listener of listeners) if (listener.name !== 'endpoint') await expectToldAll(listener, bob);
});

function front(name: ServiceName): Front {
  const found = fronts.get(name);
  if (!found) throw new Error(`nothing stands before ${name}`);
  return found;
}

/** These are ready: they and no others get new connections. */
function serve(name: ServiceName, ready: Unit[]): void {
  pods.set(name, ready);
  front(name).serve(ready.map(({ url }) => url));
}

async function start(name: ServiceName): Promise<Unit> {
  instances += 1;
  const env = system.stack.envOf(name);
  return startService({ name, dir, port: await freePort(), env, instance: instances });
}

/**
 * Both pods of a service, by `maxSurge: 1` and `maxUnavailable: 0`: one more is started, and when it is ready an old one gets no new connections
 * any more, then SIGTERM. The stack's own is the first, and comes back at its port as the second new one.
 */
async function replace(name: ServiceName): Promise<void> {
  const [first, second] = pods.get(name) ?? [];
  if (!first || !second) throw new Error(`there are no two of ${name}`);
  const third = await start(name);
  serve(name, [second, third]);
  await end(first);
  await mailFlows();
  await first.start();
  serve(name, [third, first]);
  await end(second);
  await mailFlows();
}

/** Within the grace period it ends by itself: what does not is killed after 30 s. */
async function end(unit: Unit): Promise<void> {
  await unit.stop();
  expect(unit.child().ended(), unit.name).toBe('exit code 0');
}

/** The new version's migration, while nothing but old pods is there. */
async function migrateFurther(): Promise<void> {
  const next = join(dir, 'migrations');
  const now = new URL('../../../services/mailbox-projector/migrations', import.meta.url);
  cpSync(now, next, { recursive: true });
  writeFileSync(
    join(next, '9999_next.sql'),
    `alter table message add column next text not null default '';
create index message_next on message (tenant, next);\n`,
  );
  const logger = createLogger('upgrade', 'silent');
  const ran = await migrate(system.stack.databaseUrl, { schema: 'view', dir: next, logger });
  expect(ran).toEqual(['9999_next']);
}

async function arrivals(): Promise<void> {
  while (!done.signal.aborted) {
    microsoft.control.deliver({ mailbox: ADA, count: 2 });
    await sleep(PAUSE_MS);
  }
}

async function mailFlows(): Promise<void> {
  const before = recorder.changes.length;
  await system.until('mail flows', () => recorder.changes.length > before || done.signal.aborted);
}

/** One ready gateway after the other. */
function gateway(): string {
  turn += 1;
  const ready = pods.get('ingest-gateway') ?? [];
  return ready[turn % ready.length]?.url ?? '';
}

/** People who look at their mail, and at how it is doing, and do not ask twice. */
async function callers(): Promise<void> {
  const headers = { authorization: `Bearer ${system.stack.token}` };
  const paths = [`/v1/messages?account=${ada.account}&limit=20`, `/v1/accounts/${ada.account}`, '/v1/status'];
  while (!done.signal.aborted) {
    await sleep(PAUSE_MS / 10);
    await Promise.all(
      paths.map(async (path) => {
        const url = `${gateway()}${path}`;
        try {
          const answer = await fetch(url, { headers });
          const text = await answer.text();
          if (!answer.ok) failedReads.push(`${url}: ${answer.status} ${text}`);
        } catch (error) {
          failedReads.push(`${url}: ${error} ${error instanceof Error ? error.cause : ''}`);
        }
        reads += 1;
      }),
    );
  }
}

/** Of Bob's import. */
function pagesAsked(): string[] {
  return microsoft.control
    .requests()
    .filter(({ mailbox, path, query }) => mailbox === BOB && PAGE.test(path) && !query.includes('deltatoken'))
    .map(({ path, query }) => `${path}?${query}`);
}

function askedAgain(): string[] {
  const asked = pagesAsked();
  return asked.filter((page, at) => asked.indexOf(page) < at);
}

/** It was told of a mailbox what the recorder was since the load began: each change once, in order. */
async function expectToldAll({ name, told, problems }: Listener, { account }: Mailbox): Promise<void> {
  const expected = recorder.changes
    .slice(began)
    .filter(({ event }) => event.account === account)
    .map(({ event }) => event.id);
  const [first = '', last = ''] = [expected.at(0), expected.at(-1)];
  await system.until(`the ${name} has heard the last change`, () => told.includes(last));
  const ours = new Set(recorder.changes.flatMap(({ event }) => (event.account === account ? event.id : [])));
  expect(
    told.slice(told.indexOf(first)).filter((id) => ours.has(id)),
    name,
  ).toEqual(expected);
  expect(problems, name).toEqual([]);
}
