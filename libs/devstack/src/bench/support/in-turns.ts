/** What something costs the projector: a full log is folded with it and without it in turn, on servers of their own. */
import { until } from './bench.ts';
import { benchAccounts, createFactWriter } from './fact-writer.ts';
import { quantile, rounded } from './figures.ts';
import { cpuSeconds } from './processes.ts';
import type { ProjectorBench } from './projector-bench.ts';
import { isToldToTheEnd } from './told-to-the-end.ts';

export interface Fold {
  readonly bench: ProjectorBench;
  /** What fills the log; default: that of the bench. */
  readonly writer?: ProjectorBench['bus'];
  /** More environment for the projector. */
  readonly env?: Readonly<Record<string, string>>;
}

interface Round {
  readonly seconds: number;
  /** Processor time of projector, NATS and PostgreSQL: the machine may be busy with something else. */
  readonly cpu: number;
}

export interface InTurns {
  readonly messages: number;
  /** Even: who goes second gains, and each must do so as often. */
  readonly rounds: number;
  /** A bench with it, or without it, ready to be filled. */
  prepare(isWith: boolean): Promise<Fold>;
}

/** Medians over the rounds: what it does to throughput and processor time (1: nothing), and the rates with and without it. */
export async function measureInTurns({ messages, rounds, prepare }: InTurns) {
  if (rounds % 2 !== 0)
    throw new Error(`--rounds ${rounds}: must be even, or going second counts for one of them.`);
  const pairs: { with: Round; without: Round }[] = [];
  const measure = async (isWith: boolean) => fold(await prepare(isWith), messages);
  // The first is the slowest whatever it does: nothing of it is in the machine's memory yet.
  await measure(false);
  for (let n = 0; n < rounds; n += 1) {
    // Who goes first alternates, so that a machine that warms up or tires favours neither.
    if (n % 2 === 0) pairs.push({ without: await measure(false), with: await measure(true) });
    else pairs.push({ with: await measure(true), without: await measure(false) });
  }
  const median = (of: (pair: (typeof pairs)[number]) => number) => quantile(pairs.map(of), 0.5);
  return {
    throughput: rounded(
      median((pair) => pair.without.seconds / pair.with.seconds),
      3,
    ),
    cpu: rounded(
      median((pair) => pair.with.cpu / pair.without.cpu),
      3,
    ),
    rateWith: rounded(messages / median((pair) => pair.with.seconds)),
    rateWithout: rounded(messages / median((pair) => pair.without.seconds)),
  };
}

async function fold({ bench, writer = bench.bus, env = {} }: Fold, messages: number): Promise<Round> {
  const accounts = benchAccounts(4);
  try {
    await createFactWriter(writer, accounts).fill(messages);
    const projector = await bench.startProjector(env);
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
