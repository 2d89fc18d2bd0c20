/** Waiting for a condition: what tests do instead of sleeping. */
import { setTimeout as sleep } from 'node:timers/promises';

/** A condition holds when it returns without throwing, and not `false`. */
export type Condition = () => Promise<unknown> | unknown;

/** Resolves as soon as the condition holds. Throws with the last reason why it did not when `timeoutMs` have passed. */
export async function until(what: string, condition: Condition, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let reason: unknown;
    try {
      if ((await condition()) !== false) return;
    } catch (error) {
      reason = error;
    }
    if (Date.now() > deadline) {
      const why = reason instanceof Error ? `: ${reason.message}` : '';
      throw new Error(`not within ${timeoutMs / 1_000} s: ${what}${why}`, { cause: reason });
    }
    await sleep(50);
  }
}
