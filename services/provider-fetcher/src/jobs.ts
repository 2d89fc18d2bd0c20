/** The work queues of fetch jobs: one per provider and lane, so that imports never starve live mail. */
import type { WorkItem } from '@mailstream/bus';
import { FetchJob, fetchConsumer, LANES, type Lane } from '@mailstream/contracts';
import type { Logger, Metrics, Part } from '@mailstream/runtime';
import { Compile } from 'typebox/compile';
import { type FetchDeps, fetchJob } from './fetch-job.ts';

const validator = Compile(FetchJob);

/** How long a job may go without a sign of life before another fetcher gets it, milliseconds. */
const HOLD_MS = 5_000;

export interface JobsDeps extends FetchDeps {
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Jobs of one lane at a time in this process. */
  readonly concurrency: Record<Lane, number>;
}

/** One part per provider and lane. */
export function createJobConsumers(deps: JobsDeps): Part[] {
  const { bus, logger, metrics, providers, concurrency } = deps;
  const durations = metrics.histogram('mailstream.fetch.duration');

  async function handle(item: WorkItem, signal: AbortSignal): Promise<void> {
    const job = parse(item.data);
    if (!job) {
      logger.warn({ subject: item.subject }, 'job parked: not a fetch job');
      await bus.park(item, 'bad-payload', 'not a fetch job');
      return item.ack();
    }
    const began = performance.now();
    const { endings, outcome } = await fetchJob(deps, job, signal);
    const { provider, lane } = job;
    durations.record({ provider, lane, outcome }, (performance.now() - began) / 1_000);
    // Off the queue first: on hearing the end the orchestrator may offer the next job of this scope, which has the same subject. An ending
    // that is lost then is made good, because the orchestrator offers a job again that it heard nothing of.
    await item.ack();
    for (const ending of endings) await bus.publish(ending);
  }

  return providers.flatMap(({ name }) =>
    LANES.map((lane) => ({
      name: `${name} ${lane} jobs`,
      run: (signal: AbortSignal) =>
        bus.work(
          {
            stream: 'FETCH',
            durable: fetchConsumer(name, lane),
            filter: `fetch.${name}.${lane}.>`,
            concurrency: concurrency[lane],
            holdMs: HOLD_MS,
          },
          handle,
          signal,
        ),
    })),
  );
}

function parse(data: Uint8Array): FetchJob | null {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(data));
    return validator.Check(value) ? value : null;
  } catch {
    return null;
  }
}
