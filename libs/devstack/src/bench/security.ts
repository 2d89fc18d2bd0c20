/** `npm run bench -- security`: what row-level security and the users of NATS cost the live path, with and without them in turn. */
import { parseArgs } from 'node:util';
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

const { throughput, cpu, rateWith, rateWithout } = await measureInTurns({
  messages,
  rounds,
  prepare: async (guarded) => ({ bench: await startProjectorBench({ guarded }) }),
});
show(
  {
    throughput_ratio: throughput,
    cpu_ratio: cpu,
    events_per_second_guarded: rateWith,
    events_per_second_open: rateWithout,
    messages,
    rounds,
  },
  values.json,
);
