/** What follows from an attempt to deliver. Pure. */
import { backoffMs } from '@mailstream/runtime';

/** What came of one request. */
export interface Attempt {
  /** HTTP status; null: there was no answer. */
  readonly status: number | null;
  /** What went wrong, for people; null: nothing. */
  readonly error: string | null;
  /** What the receiver asked for (`Retry-After`), milliseconds. */
  readonly retryAfterMs: number | null;
}

export interface Standing {
  /** This attempt included. */
  readonly attempts: number;
  /** When this change was tried first, Unix milliseconds. */
  readonly firstAt: number;
  /** Since when the endpoint took nothing; null: it took what came before this. */
  readonly failingSince: number | null;
}

export type Verdict =
  | { readonly kind: 'delivered' }
  | { readonly kind: 'retry'; readonly inMs: number }
  /** This change is given up; the next ones go on. */
  | { readonly kind: 'dead' }
  /** The endpoint is told nothing more until somebody looks; this change waits. */
  | { readonly kind: 'pause'; readonly reason: 'gone' | 'failing' };

/** For so long a change is tried, milliseconds. */
export const GIVE_UP_MS = 3 * 86_400_000;
const BACKOFF = { baseMs: 5_000, maxMs: 4 * 3_600_000 };
const LONGEST_WISH_MS = 12 * 3_600_000;

/** `random` in [0, 1). */
export function judge(attempt: Attempt, standing: Standing, now: number, random: number): Verdict {
  if (attempt.error === null) return { kind: 'delivered' };
  if (attempt.status === 410) return { kind: 'pause', reason: 'gone' };
  const { attempts, firstAt, failingSince } = standing;
  if (now - firstAt < GIVE_UP_MS) {
    const wish = Math.min(attempt.retryAfterMs ?? 0, LONGEST_WISH_MS);
    return { kind: 'retry', inMs: Math.max(wish, backoffMs(BACKOFF, attempts, random)) };
  }
  // What took nothing at all is out of order; what refuses one change and takes others does not like that one.
  const isDown = failingSince !== null && now - failingSince >= GIVE_UP_MS;
  return isDown ? { kind: 'pause', reason: 'failing' } : { kind: 'dead' };
}
