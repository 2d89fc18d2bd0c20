/** `npm run bench -- fold`: how fast the projector folds a full log into the view and publishes the changes, everything on this machine. */
import { parseArgs } from 'node:util';
import { until } from './support/bench.ts';
import { benchAccounts, createFactWriter } from './support/fact-writer.ts';
import { rounded, show } from './support/figures.ts';
import { cpuSeconds, peakRssMb } from './support/processes.ts';
import { startProjectorBench } from './support/projector-bench.ts';
import { isToldToTheEnd } from './support/told-to-the-end.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '100000' },
    accounts: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const accounts = benchAccounts(Number(values.accounts));

const bench = await startProjectorBench();
try {
  const { bus, servers } = bench;
  const bytes = await createFactWriter(bus, accounts).fill(messages);
  if (!values.json) console.log(`${messages} facts in the log, ${Math.round(bytes / messages)} bytes each`);

  const projector = await bench.startProjector();
  const pids = { projector: projector.child().pid, ...servers };
  const costs = () => Object.values(pids).map(cpuSeconds);
  const before = costs();
  const started = performance.now();
  await until(50, () => isToldToTheEnd(bus, accounts));
  const seconds = (performance.now() - started) / 1000;
  const cpu = costs().map((after, n) => ((after - (before[n] ?? 0)) / messages) * 1e6);
  show(
    {
      events_per_second: rounded(messages / seconds),
      messages,
      accounts: accounts.length,
      seconds: rounded(seconds, 2),
      ...Object.fromEntries(
        Object.keys(pids).map((name, n) => [`cpu_us_per_event_${name}`, rounded(cpu[n] ?? 0)]),
      ),
      rss_peak_mb: peakRssMb(pids.projector),
    },
    values.json,
  );
} finally {
  await bench.stop();
}
