/** `npm run bench -- rebuild`: the view made anew from a long log while changes and reads go on. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { Bus } from '@mailstream/bus';
import { type AccountRef, EVENT_TYPES, envelope, subjects, uuidv7 } from '@mailstream/contracts';
import { createDb } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { Type } from 'typebox';
import { Value } from 'typebox/value';
import { childEnv } from '../env.ts';
import { NODE_FLAGS } from '../node-flags.ts';
import { REPO_ROOT } from '../paths.ts';
import { createFactWriter } from './support/fact-writer.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { peakRssMb } from './support/processes.ts';
import { startProjectorBench } from './support/projector-bench.ts';
import { databaseBytes } from './support/sizes.ts';
import { isToldToTheEnd } from './support/told-to-the-end.ts';

const LIVE_PER_SECOND = 50;
const PAGE = 50;
const FullPage = Type.Object({ items: Type.Array(Type.Unknown(), { minItems: PAGE }) });
const REBUILD = join(REPO_ROOT, 'services/mailbox-projector/src/rebuild/main.ts');

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    accounts: { type: 'string', default: '32' },
    json: { type: 'boolean', default: false },
  },
});
const events = Number(values.events);

const bench = await startProjectorBench();
try {
  const { bus } = bench;
  const imported = await addAccounts(bus, Number(values.accounts));
  const live = await addAccounts(bus, 8);
  await createFactWriter(bus, imported).fill(events);
  const projector = await bench.startProjector();
  while (!(await isToldToTheEnd(bus, imported))) await sleep(500);
  if (!values.json) console.log(`${events} facts are in the log and in the view`);
  const sizes = await bytesPerEvent(bus);

  const over = new AbortController();
  const began = performance.now();
  const lags = watchLags(bus, over.signal);
  const changing = change(bus, live, lags.sent, over.signal);
  const reading = read(`${projector.url}/v1/messages?limit=${PAGE}`, over.signal);
  const rebuilt = await rebuild();
  await sleep(1_000);
  over.abort();
  const liveSeconds = (performance.now() - began) / 1000;
  const { reads, failed } = await reading;
  const changes = await changing;
  show(
    {
      ...rebuilt,
      reads,
      failed_reads: failed,
      live_changes: changes,
      live_changes_per_second: rounded(changes / liveSeconds, 1),
      live_lag_p50_ms: rounded(quantile(await lags.done, 0.5)),
      live_lag_p99_ms: rounded(quantile(await lags.done, 0.99)),
      live_lag_max_ms: rounded(Math.max(...(await lags.done))),
      ...sizes,
      events,
    },
    values.json,
  );
} finally {
  await bench.stop();
}

/** What a message takes on each server that keeps it: its fact, its change event, its rows with their indexes. */
async function bytesPerEvent(bus: Bus) {
  const [mail, changes] = [await bus.state('MAIL'), await bus.state('CHANGES')];
  const db = createDb({
    url: bench.databaseUrl,
    max: 1,
    applicationName: 'bench',
    logger: createLogger('bench', 'silent'),
  });
  try {
    return {
      mail_bytes_per_event: rounded(mail.bytes / events),
      changes_bytes_per_event: rounded(changes.bytes / events),
      postgres_bytes_per_event: rounded((await databaseBytes(db)) / events),
    };
  } finally {
    await db.close();
  }
}

async function addAccounts(bus: Bus, count: number): Promise<AccountRef[]> {
  const accounts = Array.from({ length: count }, () => ({ tenant: 'default', account: uuidv7() }));
  for (const at of accounts) {
    const data = { verb: 'added', provider: 'imap', name: 'bench', state: 'live', reason: null };
    const draft = { id: uuidv7(), source: '/mailstream/bench', type: EVENT_TYPES.accountChanged };
    const event = envelope({ ...draft, time: new Date().toISOString(), ...at, data });
    await bus.publish({ subject: subjects.fact(at, 'account.added'), data: event });
  }
  return accounts;
}

/** New messages one by one, fifty a second, the accounts side by side; returns how many. */
async function change(
  bus: Bus,
  accounts: readonly AccountRef[],
  sent: Map<string, number>,
  signal: AbortSignal,
): Promise<number> {
  const everyMs = 1000 / (LIVE_PER_SECOND / accounts.length);
  const started = performance.now();
  const changing = accounts.map(async (at) => {
    const writer = createFactWriter(bus, [at]);
    let count = 0;
    while (!signal.aborted) {
      await sleep(Math.max(0, started + count * everyMs - performance.now()));
      const before = performance.now();
      await writer.write(1);
      const cursor = await bus.last('MAIL', subjects.cursor(at, 'inbox'));
      if (cursor) sent.set(String(cursor.sequence), before);
      count += 1;
    }
    return count;
  });
  return (await Promise.all(changing)).reduce((sum, count) => sum + count, 0);
}

/** How long each change takes from before it is in the log to when it is told, milliseconds. */
function watchLags(bus: Bus, signal: AbortSignal) {
  const sent = new Map<string, number>();
  const told = new Map<string, number>();
  const done = (async () => {
    for await (const messages of bus.read('CHANGES', 'changes.*.*.sync.completed', new Date(), signal)) {
      for (const { data } of messages)
        told.set(JSON.parse(Buffer.from(data).toString()).data.version, performance.now());
    }
    return [...sent].flatMap(([version, at]) => {
      const heard = told.get(version);
      return heard === undefined ? [] : [heard - at];
    });
  })();
  return { sent, done };
}

/** Reads without a pause, two at a time. */
async function read(url: string, signal: AbortSignal): Promise<{ reads: number; failed: number }> {
  const headers = { authorization: `Bearer ${bench.token}` };
  let reads = 0;
  let failed = 0;
  const reader = async () => {
    while (!signal.aborted) {
      const isGood = await fetch(url, { headers }).then(
        async (answer) => answer.ok && Value.Check(FullPage, await answer.json()),
        () => false,
      );
      reads += 1;
      if (!isGood) failed += 1;
    }
  };
  await Promise.all([reader(), reader()]);
  return { reads, failed };
}

async function rebuild() {
  const env = childEnv({ DATABASE_URL: bench.databaseUrl, NATS_URL: bench.natsUrl });
  const child = spawn(process.execPath, [...NODE_FLAGS, REBUILD, '--json'], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let rss = 0;
  const looking = setInterval(() => {
    rss = Math.max(rss, peakRssMb(child.pid ?? 0));
  }, 200);
  const [said] = await Promise.all([text(child.stdout), once(child, 'exit')]);
  clearInterval(looking);
  const result: { swapped: boolean; events: number; seconds: number } = JSON.parse(said);
  if (!result.swapped) throw new Error(`the tables were not exchanged: ${said}`);
  return {
    seconds: rounded(result.seconds, 1),
    events_per_second: rounded(result.events / result.seconds),
    rss_peak_mb: rss,
  };
}
