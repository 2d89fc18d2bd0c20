/** Imports of simulated mailboxes: how fast, and what they cost. */
import { countMessages, until } from './bench.ts';
import { type Figures, quantile, rounded } from './figures.ts';
import { cpuSeconds, peakRssMb } from './processes.ts';
import type { SimulatedBench } from './simulated-bench.ts';

/** What the benches of imports take on the command line. */
export const IMPORT_OPTIONS = {
  messages: { type: 'string', default: '10000' },
  /** Imports into the running stack after the first, each of another mailbox. */
  rounds: { type: 'string', default: '3' },
  json: { type: 'boolean', default: false },
} as const;

export async function measureImport(
  bench: SimulatedBench,
  messages: number,
  rounds: number,
): Promise<Figures> {
  const cold = await importOnce(bench, messages);
  const { units } = bench.stack;
  const costs = () => units.map((unit) => cpuSeconds(unit.child().pid) * 1e6);
  const before = costs();
  const simulatorBefore = process.cpuUsage();
  const warm: number[] = [];
  for (let round = 0; round < rounds; round += 1) warm.push(await importOnce(bench, messages));
  const imported = Math.max(1, warm.length) * messages;
  const simulator = process.cpuUsage(simulatorBefore);
  const cpu = costs().map((after, n) => rounded((after - (before[n] ?? 0)) / imported));
  const rss = units.slice(2).map((unit) => peakRssMb(unit.child().pid));
  return {
    messages_per_second: rounded(warm.length > 0 ? quantile(warm, 0.5) : cold),
    cold_messages_per_second: rounded(cold),
    rss_peak_mb: Math.max(...rss),
    ...Object.fromEntries(units.map(({ name }, n) => [`cpu_us_${name.replace('-', '_')}`, cpu[n] ?? 0])),
    cpu_us_simulator: rounded((simulator.user + simulator.system) / imported),
    messages,
  };
}

/** Messages per second from the account being added until all its rows are committed. */
async function importOnce({ addMailbox, untilLive, db }: SimulatedBench, messages: number): Promise<number> {
  const connect = addMailbox(messages);
  const started = performance.now();
  const account = await connect();
  await until(10, async () => (await countMessages(db, account)) >= messages);
  const seconds = (performance.now() - started) / 1000;
  await untilLive(account);
  return messages / seconds;
}
