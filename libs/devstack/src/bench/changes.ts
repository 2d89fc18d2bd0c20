/** `npm run bench -- changes`: how fast changes come to one subscriber and to ten, and how long after the commit one is handed over. */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Bus } from '@mailstream/bus';
import { connectMailstream, type Mailstream } from '@mailstream/client';
import { until } from './support/bench.ts';
import { benchAccounts, createFactWriter } from './support/fact-writer.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { startProjectorBench } from './support/projector-bench.ts';
import { isToldToTheEnd } from './support/told-to-the-end.ts';

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
const accounts = benchAccounts(4);

const bench = await startProjectorBench();
try {
  const { bus, natsUrl } = bench;
  await bench.startProjector();
  const { fill, write } = createFactWriter(bus, accounts);
  await fill(messages);
  await until(100, () => isToldToTheEnd(bus, accounts));

  const one = await drain(natsUrl, 1);
  const many = await drain(natsUrl, MANY);
  const delays = await deliveries(bus, natsUrl, write);
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
  await bench.stop();
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
  write: (count: number) => Promise<unknown>,
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
