/** `npm run bench -- graph-import`: a mailbox from the simulated Microsoft Graph to committed rows. */
import { parseArgs } from 'node:util';
import { countCopies, until } from './support/bench.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { type GraphBench, startGraphBench } from './support/graph-bench.ts';
import { cpuSeconds, peakRssMb } from './support/processes.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '10000' },
    /** Imports into the running stack after the first, each of another mailbox. */
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const bench = await startGraphBench();
try {
  const cold = await importOnce(bench);
  const { units } = bench.stack;
  const costs = () => units.map((unit) => cpuSeconds(unit.child().pid) * 1e6);
  const before = costs();
  const simulatorBefore = process.cpuUsage();
  const warm: number[] = [];
  for (let round = 0; round < Number(values.rounds); round += 1) warm.push(await importOnce(bench));
  const imported = Math.max(1, warm.length) * messages;
  const simulator = process.cpuUsage(simulatorBefore);
  const cpu = costs().map((after, n) => rounded((after - (before[n] ?? 0)) / imported));
  const rss = units.slice(2).map((unit) => peakRssMb(unit.child().pid));
  show(
    {
      messages_per_second: rounded(warm.length > 0 ? quantile(warm, 0.5) : cold),
      cold_messages_per_second: rounded(cold),
      rss_peak_mb: Math.max(...rss),
      ...Object.fromEntries(units.map(({ name }, n) => [`cpu_us_${name.replace('-', '_')}`, cpu[n] ?? 0])),
      cpu_us_simulator: rounded((simulator.user + simulator.system) / imported),
      messages,
    },
    values.json,
  );
} finally {
  await bench.stop();
}

/** Messages per second from the account being added until all its rows are committed. */
async function importOnce({ addMailbox, untilLive, db }: GraphBench): Promise<number> {
  const connect = addMailbox(messages);
  const started = performance.now();
  const account = await connect();
  await until(10, async () => (await countCopies(db, account)) >= messages);
  const seconds = (performance.now() - started) / 1000;
  await untilLive(account);
  return messages / seconds;
}
