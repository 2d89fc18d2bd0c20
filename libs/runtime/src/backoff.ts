/** Waiting times between tries: exponential with full jitter, so that a crowd of retries spreads out. */

export interface Backoff {
  /** First ceiling, milliseconds. */
  readonly baseMs: number;
  /** Highest ceiling, milliseconds. */
  readonly maxMs: number;
}

/**
 * Milliseconds to wait before try number `attempt` (1 for the first retry): uniform in [ceiling/2, ceiling], where the ceiling doubles
 * each time. `random` is in [0, 1) and comes in, so that callers can be pure.
 */
export function backoffMs({ baseMs, maxMs }: Backoff, attempt: number, random: number): number {
  const ceiling = Math.min(maxMs, baseMs * 2 ** Math.min(attempt - 1, 30));
  return Math.round(ceiling / 2 + (random * ceiling) / 2);
}
