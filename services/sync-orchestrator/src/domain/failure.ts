/** The one place that says, per failure class, who retries and when. */
import type { FailureClass } from '@mailstream/contracts';
import { type Backoff, backoffMs } from '@mailstream/runtime';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** `null`: never by itself, a person has to act first. */
const POLICY: Record<FailureClass, Backoff | null> = {
  network: { baseMs: 2 * SECOND, maxMs: 5 * MINUTE },
  timeout: { baseMs: 2 * SECOND, maxMs: 5 * MINUTE },
  conflict: { baseMs: SECOND, maxMs: MINUTE },
  quota: { baseMs: 30 * SECOND, maxMs: 30 * MINUTE },
  gone: { baseMs: 10 * SECOND, maxMs: HOUR },
  parse: { baseMs: MINUTE, maxMs: 6 * HOUR },
  permanent: { baseMs: 10 * MINUTE, maxMs: 24 * HOUR },
  auth: null,
};

/**
 * When to try again after failure number `attempts` in a row, never before what the provider asked for; null when only a person can help.
 * `random` is in [0, 1).
 */
export function nextTry(
  failure: FailureClass,
  attempts: number,
  retryAfterMs: number | null,
  now: Date,
  random: number,
): Date | null {
  const policy = POLICY[failure];
  if (!policy) return null;
  return new Date(now.getTime() + Math.max(backoffMs(policy, attempts, random), retryAfterMs ?? 0));
}
