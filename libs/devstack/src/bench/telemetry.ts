/** `npm run bench -- telemetry`: what traces and metrics by OTLP cost the projector, every page in a trace of its own and all of them sampled, with and without them in turn. */
import { parseArgs } from 'node:util';
import type { Bus } from '@mailstream/bus';
import { createLogger, inSpan, startTelemetry } from '@mailstream/runtime';
import { startOtlpReceiver } from '../otlp-receiver.ts';
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

const receiver = await startOtlpReceiver({ keep: false });
const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
const own = await startTelemetry('bench', createLogger('bench', 'silent'), env);
const rounds: { off: Round; on: Round }[] = [];
try {
  for (let n = 0; n < Number(values.rounds); n += 1) {
    // Who goes first alternates, so that a machine that warms up or tires favours neither.
    if (n % 2 === 0) rounds.push({ off: await measure(false), on: await measure(true) });
    else rounds.push({ on: await measure(true), off: await measure(false) });
  }
} finally {
  await own.stop();
  await receiver.close();
}
const median = (of: (round: (typeof rounds)[number]) => number) => quantile(rounds.map(of), 0.5);
show(
  {
    throughput_ratio: rounded(
      median(({ on, off }) => off.seconds / on.seconds),
      3,
    ),
    cpu_ratio: rounded(
      median(({ on, off }) => on.cpu / off.cpu),
      3,
    ),
    events_per_second_on: rounded(messages / median(({ on }) => on.seconds)),
    events_per_second_off: rounded(messages / median(({ off }) => off.seconds)),
    messages,
    rounds: rounds.length,
  },
  values.json,
);

async function measure(traced: boolean): Promise<Round> {
  const bench = await startProjectorBench();
  const { bus, servers } = bench;
  const tracing: Bus = {
    ...bus,
    publishBatch: (page, fence) => inSpan('fetch', { parent: null }, () => bus.publishBatch(page, fence)),
  };
  try {
    await createFactWriter(traced ? tracing : bus, accounts).fill(messages);
    const projector = await bench.startProjector(traced ? env : {});
    const pids = [projector.child().pid, ...Object.values(servers)];
    const cost = () => pids.map(cpuSeconds).reduce((sum, one) => sum + one, 0);
    const before = cost();
    const started = performance.now();
    await until(20, () => isToldToTheEnd(bus, accounts));
    return { seconds: (performance.now() - started) / 1000, cpu: cost() - before };
  } finally {
    await bench.stop();
  }
}
