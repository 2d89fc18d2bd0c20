/** Reading what the log has up to now, and then no more. */
import type { Bus, Stored } from '@mailstream/bus';
import { AppError } from '@mailstream/runtime';

/**
 * What stands on these subjects of MAIL from `from` (a sequence, or the time it was stored) to the newest there is when it begins, in order. Throws `fold.log_changed` when `signal`
 * aborts before that was reached: the log is slow, or was cut meanwhile.
 */
export async function* readFacts(
  bus: Pick<Bus, 'last' | 'read'>,
  filters: readonly string[],
  from: bigint | Date,
  signal: AbortSignal,
): AsyncGenerator<readonly Stored[]> {
  const lasts = await Promise.all(filters.map((filter) => bus.last('MAIL', filter)));
  const last = lasts.reduce(
    (most, each) => (each && each.sequence > (most?.sequence ?? 0n) ? each : most),
    null,
  );
  if (!last || (from instanceof Date ? last.time < from : last.sequence < from)) return;
  for await (const messages of bus.read('MAIL', filters, from, signal)) {
    yield messages;
    if ((messages.at(-1)?.sequence ?? 0n) >= last.sequence) return;
  }
  throw new AppError('fold.log_changed', 'timeout', 'the log could not be read to its end; try again');
}
