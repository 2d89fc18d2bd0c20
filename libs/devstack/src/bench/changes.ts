/** `npm run bench -- changes`: how fast changes come to one subscriber and to ten, and how long after the commit one is handed over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Bus, connectBus } from '@mailstream/bus';
import { connectMailstream, type Mailstream } from '@mailstream/client';
import { type AccountRef, subjects } from '@mailstream/contracts';
import { ensureTokenKey } from '../dev-token.ts';
import { startNats } from '../nats-server.ts';
import { freePort } from '../ports.ts';
import { startPostgres } from '../postgres.ts';
import { startService } from '../stack.ts';
import { until } from './support/bench.ts';
import { factPage } from './support/fact-page.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { isToldToTheEnd } from './support/told-to-the-end.ts';

const PAGE = 500;
const MANY = 10;

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '20000' },
    live: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const live = Number(values.live);
const accounts: AccountRef[] = Array.from({ length: 4 }, (_, n) => ({
  tenant: 'default',
  account: `account-${n}`,
}));

const dir = mkdtempSync(join(tmpdir(), 'mailstream-bench-'));
const stops: (() => Promise<void>)[] = [() => Promise.resolve(rmSync(dir, { recursive: true, force: true }))];
try {
  const postgres = await startPostgres({ dir: join(dir, 'postgres') });
  stops.push(() => postgres.stop());
  const nats = await startNats({ dir: join(dir, 'nats') });
  stops.push(() => nats.stop());
  const bus = await connectBus({ url: nats.url, name: 'bench' });
  stops.push(() => bus.close());
  await bus.ensureTopology();
  const projector = await startService({
    name: 'mailbox-projector',
    dir,
    port: await freePort(),
    env: { NATS_URL: nats.url, DATABASE_URL: postgres.url, MAILSTREAM_JWT_KEY_FILE: ensureTokenKey(dir) },
  });
  stops.push(() => projector.stop());

  const write = createWriter(bus);
  for (let n = 0; n < messages; n += PAGE) await write(Math.min(PAGE, messages - n));
  await until(100, () => isToldToTheEnd(bus, accounts));

  const one = await drain(nats.url, 1);
  const many = await drain(nats.url, MANY);
  const delays = await deliveries(bus, nats.url, write);
  show(
    {
      events_per_second: rounded(messages / one),
      events_per_second_10: rounded(messages / many),
      deliveries_per_second_10: rounded((messages * MANY) / many),
      p50_ms: rounded(quantile(delays, 0.5), 1),
      p99_ms: rounded(quantile(delays, 0.99), 1),
      messages,
      live,
    },
    values.json,
  );
} finally {
  for (const stop of stops.toReversed()) await stop();
}

/** Writes pages of new mail, the accounts in turn. */
function createWriter(bus: Bus): (count: number) => Promise<void> {
  const fences = new Map<string, bigint>();
  let pages = 0;
  let first = 0;
  return async (count) => {
    const at = accounts[pages % accounts.length];
    if (!at) throw new Error('no accounts');
    const page = factPage(at, { number: Math.floor(pages / accounts.length), first, count });
    const fence = { subject: subjects.cursor(at, 'inbox'), sequence: fences.get(at.account) ?? 0n };
    const stored = await bus.publishBatch(page, fence);
    if (stored.outcome !== 'committed') throw new Error(`a page was not stored: ${stored.outcome}`);
    fences.set(at.account, stored.sequence);
    pages += 1;
    first += count;
  };
}

/** Seconds until so many durable subscribers, each with a connection of its own, have handled everything. */
async function drain(natsUrl: string, subscribers: number): Promise<number> {
  const connections = await Promise.all(
    Array.from({ length: subscribers }, () => connectMailstream({ natsUrl })),
  );
  const started = performance.now();
  await Promise.all(connections.map((mailstream, n) => drainOne(mailstream, `drain-${subscribers}-${n}`)));
  const seconds = (performance.now() - started) / 1000;
  await Promise.all(connections.map((mailstream) => mailstream.close()));
  return seconds;
}

async function drainOne(mailstream: Mailstream, name: string): Promise<void> {
  const stop = new AbortController();
  let handled = 0;
  await mailstream.subscribe(
    { name, tenant: 'default', types: ['message.created'], from: 'beginning' },
    async () => {
      handled += 1;
      if (handled === messages) stop.abort();
    },
    stop.signal,
  );
}

/** Milliseconds from the moment before the projector's commit, which the event tells, to the handler: the commit itself is counted, too. */
async function deliveries(
  bus: Bus,
  natsUrl: string,
  write: (count: number) => Promise<void>,
): Promise<number[]> {
  const delays: number[] = [];
  const stop = new AbortController();
  await using mailstream = await connectMailstream({ natsUrl });
  const from = { sequence: (await bus.state('CHANGES')).last };
  const subscribed = mailstream.subscribe(
    { name: 'live', tenant: 'default', types: ['message.created'], from },
    async ({ event }) => {
      delays.push(performance.timeOrigin + performance.now() - Date.parse(event.time));
    },
    stop.signal,
  );
  for (let n = 0; n < live; n += 1) {
    await write(1);
    await sleep(20 + ((n * 7919) % 40));
  }
  await until(50, async () => delays.length >= live);
  stop.abort();
  await subscribed;
  return delays;
}
