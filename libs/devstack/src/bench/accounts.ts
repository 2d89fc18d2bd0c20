/**
 * `npm run bench -- accounts`: many live mailboxes at Microsoft and Google on one machine: what each costs while nothing happens,
 * and how many changes a second come through when mail arrives in all of them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createRandom } from '../random.ts';
import { SERVICES } from '../stack.ts';
import { rounded, show } from './support/figures.ts';
import { cpuSeconds, peakRssMb, rssKb } from './support/processes.ts';
import { type SimulatedBench, startSimulatedBench } from './support/simulated-bench.ts';
import { databaseBytes, streamBytes } from './support/sizes.ts';

/** Accounts that are being connected at the same time. */
const AT_ONCE = 16;
/** Nothing happens for so long: what is measured idle. */
const IDLE_SECONDS = 60;
/** How often it is said how far it is, milliseconds. */
const NOTE_MS = 30_000;
/** Imports take turns: those of many accounts end together. */
const STUCK_MS = 1_800_000;

const { values } = parseArgs({
  options: {
    accounts: { type: 'string', default: '1000' },
    /** How many of a hundred are at Microsoft: each has 22 folders that are imported one by one, and takes ten times as long as one at Google. */
    microsoft: { type: 'string', default: '10' },
    /** In each mailbox, at first. */
    messages: { type: 'string', default: '5' },
    /** Seconds between two looks at an account: an hour, so that what is measured idle is idle. */
    poll: { type: 'string', default: '3600' },
    /** Messages that arrive in the second part, anywhere. */
    arrivals: { type: 'string', default: '5000' },
    json: { type: 'boolean', default: false },
  },
});
const accounts = Number(values.accounts);
const messages = Number(values.messages);
const arrivals = Number(values.arrivals);

const bench = await startSimulatedBench(
  'microsoft',
  // The default is meant for large mailboxes: these are small, and each is mostly waiting for the disk.
  { MAILSTREAM_POLL_SECONDS: values.poll, MAILSTREAM_BACKFILL_JOBS: '16' },
  { gmailPushes: true },
);
try {
  const { stack, control, db } = bench;
  const services = SERVICES.map((name) => stack.unit(name).child().pid);
  const servers = (['nats-server', 'postgres'] as const).map((name) => stack.unit(name).child().pid);
  const sum = (of: (pid: number) => number, pids = services) => pids.reduce((all, pid) => all + of(pid), 0);

  // What the first accounts make them load is no cost of an account.
  await connect(bench, 20);
  await untilAllLive(bench, 20);
  const before = { services: sum(rssKb), nats: sum(rssKb, servers.slice(0, 1)), ...(await sizes()) };

  const started = performance.now();
  await connect(bench, accounts);
  await untilAllLive(bench, accounts + 20);
  const seconds = (performance.now() - started) / 1000;
  note(`${accounts} accounts are live after ${rounded(seconds)} s`);

  await sleep(IDLE_SECONDS * 1000);
  const [services0, servers0] = [sum(cpuSeconds), sum(cpuSeconds, servers)];
  await sleep(IDLE_SECONDS * 1000);
  const idleCpu = (sum(cpuSeconds) - services0) / IDLE_SECONDS;
  const idleCpuServers = (sum(cpuSeconds, servers) - servers0) / IDLE_SECONDS;
  const idleKb = (sum(rssKb) - before.services) / accounts;
  const natsKb = (sum(rssKb, servers.slice(0, 1)) - before.nats) / accounts;
  const stored = await sizes();

  const random = createRandom(7);
  const known = await countMessages();
  const arriving = performance.now();
  for (let n = 0; n < arrivals; n += 1) {
    control.deliver({ mailbox: addressOf(random.integer(accounts + 20)) });
    // Notifications are sent by this process, too.
    if (n % 50 === 0) await sleep(1);
  }
  await reach(known + arrivals, 'messages are in the view', 50, countMessages);
  const arrived = (performance.now() - arriving) / 1000;

  show(
    {
      idle_kb_per_account: rounded(idleKb, 1),
      idle_kb_per_account_nats: rounded(natsKb, 1),
      mail_kb_per_account: rounded((stored.mail - before.mail) / 1000 / accounts, 1),
      changes_kb_per_account: rounded((stored.changes - before.changes) / 1000 / accounts, 1),
      postgres_kb_per_account: rounded((stored.postgres - before.postgres) / 1000 / accounts, 1),
      idle_cpu_percent: rounded(idleCpu * 100, 1),
      idle_cpu_percent_servers: rounded(idleCpuServers * 100, 1),
      changes_per_second: rounded(arrivals / arrived),
      rss_peak_mb: sum(peakRssMb),
      ...Object.fromEntries(SERVICES.map((name, n) => [`rss_peak_mb_${name}`, peakRssMb(services[n] ?? 0)])),
      accounts_per_second: rounded(accounts / seconds, 1),
      accounts,
      microsoft_percent: Number(values.microsoft),
      poll_seconds: Number(values.poll),
      messages,
      arrivals,
    },
    values.json,
  );

  async function sizes() {
    const [mail, changes] = [await streamBytes(stack, 'MAIL'), await streamBytes(stack, 'CHANGES')];
    return { mail, changes, postgres: await databaseBytes(db) };
  }

  async function countMessages(): Promise<number> {
    const [row] = await db.query<{ n: number }>('SELECT count(*)::int AS n FROM view.message');
    return row?.n ?? 0;
  }
} finally {
  await bench.stop();
}

function addressOf(n: number): string {
  return `bench-${n}@example.com`;
}

/** Connects so many more, a few at a time. */
async function connect({ addMailbox }: SimulatedBench, count: number): Promise<void> {
  let left = count;
  const one = async () => {
    while (left > 0) {
      left -= 1;
      await addMailbox(messages, undefined, left % 100 < Number(values.microsoft) ? 'microsoft' : 'google')();
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, one));
}

async function untilAllLive({ db }: SimulatedBench, count: number): Promise<void> {
  await reach(count, 'accounts are live', 500, async () => {
    const rows = await db.query<{ live: number }>(
      "SELECT count(*)::int AS live FROM control.account WHERE state = 'live'",
    );
    return rows[0]?.live ?? 0;
  });
}

/** Looks until there are so many. Throws when none has been added for half an hour. */
async function reach(
  count: number,
  what: string,
  everyMs: number,
  look: () => Promise<number>,
): Promise<void> {
  const now = () => performance.now();
  let [most, since, told] = [0, now(), now()];
  for (let found = await look(); found < count; found = await look()) {
    if (found > most) [most, since] = [found, now()];
    if (now() - since > STUCK_MS)
      throw new Error(`${found} of ${count} ${what}, and no more for half an hour`);
    if (now() - told > NOTE_MS) {
      note(`${found} of ${count} ${what}`);
      told = now();
    }
    await sleep(everyMs);
  }
}

function note(line: string): void {
  if (!values.json) console.log(line);
}
