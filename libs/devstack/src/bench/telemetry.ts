/** `npm run bench -- telemetry`: what traces and metrics by OTLP cost the projector, every page in a trace of its own and all of them sampled, with and without them in turn. */
import { parseArgs } from 'node:util';
import type { Bus } from '@mailstream/bus';
import { createLogger, inSpan, startTelemetry } from '@mailstream/runtime';
import { startOtlpReceiver } from '../otlp-receiver.ts';
import { show } from './support/figures.ts';
import { measureInTurns } from './support/in-turns.ts';
import { startProjectorBench } from './support/projector-bench.ts';

const { values } = parseArgs({
  options: {
    messages: { type: 'string', default: '30000' },
    rounds: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});
const messages = Number(values.messages);
const rounds = Number(values.rounds);

const receiver = await startOtlpReceiver({ keep: false });
const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url };
const own = await startTelemetry('bench', createLogger('bench', 'silent'), env);
try {
  const { throughput, cpu, rateWith, rateWithout } = await measureInTurns({
    messages,
    rounds,
    async prepare(traced) {
      const bench = await startProjectorBench();
      return traced ? { bench, env, writer: traceEachPage(bench.bus) } : { bench };
    },
  });
  show(
    {
      throughput_ratio: throughput,
      cpu_ratio: cpu,
      events_per_second_on: rateWith,
      events_per_second_off: rateWithout,
      messages,
      rounds,
    },
    values.json,
  );
} finally {
  await own.stop();
  await receiver.close();
}

function traceEachPage(bus: Bus): Bus {
  return {
    ...bus,
    publishBatch: (page, fence) => inSpan('fetch', { parent: null }, () => bus.publishBatch(page, fence)),
  };
}
