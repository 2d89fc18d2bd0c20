/** What a fold tells operators of itself. */
import type { FoldLag } from '@mailstream/contracts';
import type { Metrics } from '@mailstream/runtime';
import type { FoldStats } from './context.ts';

const TOTALS = ['events', 'discarded', 'parked', 'seeded', 'published', 'reopened', 'incidents'] as const;

/** Returns what is to be called with the age of the oldest page of each transaction, seconds. */
export function observeFold(
  metrics: Metrics,
  fold: string,
  { stats, lag }: { readonly stats: FoldStats; readonly lag: () => Promise<readonly FoldLag[]> },
): (seconds: number) => void {
  for (const total of TOTALS) metrics.observe(`mailstream.fold.${total}`, () => [[{ fold }, stats[total]]]);
  metrics.observe('mailstream.fold.lag', async () =>
    (await lag()).map((one) => [{ fold, partition: String(one.partition) }, one.lag] as const),
  );
  metrics.observe('mailstream.fold.standstill', async () => [
    [{ fold }, standstill(await lag(), Date.now())],
  ]);
  const latency = metrics.histogram('mailstream.fold.latency');
  return (seconds) => latency.record({ fold }, seconds);
}

/** Seconds; a partition that is done does not stand. */
function standstill(lags: readonly FoldLag[], now: number): number {
  const standing = lags.flatMap(({ lag, movedAt }) =>
    lag > 0 && movedAt !== undefined ? [(now - Date.parse(movedAt)) / 1_000] : [],
  );
  return Math.max(0, ...standing);
}
