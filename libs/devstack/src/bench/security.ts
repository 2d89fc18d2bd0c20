/** `npm run bench -- security`: what row-level security and the users of NATS cost the live path, with and without them in turn. */
import { parseArgs } from 'node:util';
import { until } from './support/bench.ts';
import { benchAccounts, createFactWriter } from './support/fact-writer.ts';
import { quantile, rounded, show } from './support/figures.ts';
import { cpuSeconds } from './support/processes.ts';
import { startProjectorBench } from './support/projector-bench.ts';
import { isToldToTheEnd } from './support/told-to-the-end.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '30000' },
    rounds: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const accounts = benchAccounts(4);

interface Round {
  readonly seconds: number;
  /** Processor time of projector, NATS and PostgreSQL: the machine may be busy with something else. */
  readonly cpu: number;
}

const rounds: { guarded: Round; open: Round }[] = [];
for (let n = 0; n < Number(values.rounds); n += 1) {
  const open = () => measure(false);
  const guarded = () => measure(true);
  // Who goes first alternates, so that a machine that warms up or tires favours neither.
  const pair = n % 2 === 0 ? [await open(), await guarded()] : [await guarded(), await open()].toReversed();
  const [without, withAll] = pair;
  if (without && withAll) rounds.push({ open: without, guarded: withAll });
}
const median = (of: (round: (typeof rounds)[number]) => number) => quantile(rounds.map(of), 0.5);
show(
  {
    throughput_ratio: rounded(
      median(({ guarded, open }) => open.seconds / guarded.seconds),
      3,
    ),
    cpu_ratio: rounded(
      median(({ guarded, open }) => guarded.cpu / open.cpu),
      3,
    ),
    events_per_second_guarded: rounded(messages / median(({ guarded }) => guarded.seconds)),
    events_per_second_open: rounded(messages / median(({ open }) => open.seconds)),
    messages,
    rounds: rounds.length,
  },
  values.json,
);

async function measure(guarded: boolean): Promise<Round> {
  const bench = await startProjectorBench({ guarded });
  try {
    await createFactWriter(bench.bus, accounts).fill(messages);
    const projector = await bench.startProjector();
    const pids = [projector.child().pid, ...Object.values(bench.servers)];
    const cost = () => pids.map(cpuSeconds).reduce((sum, one) => sum + one, 0);
    const before = cost();
    const started = performance.now();
    await until(20, () => isToldToTheEnd(bench.bus, accounts));
    return { seconds: (performance.now() - started) / 1000, cpu: cost() - before };
  } finally {
    await bench.stop();
  }
}
