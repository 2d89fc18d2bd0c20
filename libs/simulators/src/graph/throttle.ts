/** The limits of one mailbox: requests at once, and requests per window for each application. */
import type { ThrottleBehaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { Random } from '../random.ts';
import { GraphFault } from './errors.ts';

export interface Gate {
  /** Counts a request in; throws 429 when it is one too many. Whoever was let in must `leave`. */
  enter(app: string): void;
  leave(): void;
  inFlight(): number;
}

const SLOTS = 10;

export function createGate(limits: () => ThrottleBehaviour, clock: Clock, random: Random): Gate {
  let inFlight = 0;
  /** Requests per application and tenth of a window. */
  const counts = new Map<string, Map<number, number>>();

  const countInWindow = (app: string, windowMs: number) => {
    const slots = counts.get(app) ?? new Map<number, number>();
    counts.set(app, slots);
    const slot = Math.floor(clock.now() / (windowMs / SLOTS));
    slots.set(slot, (slots.get(slot) ?? 0) + 1);
    let sum = 0;
    for (const [time, count] of slots) {
      if (time <= slot - SLOTS) slots.delete(time);
      else sum += count;
    }
    return sum;
  };
  return {
    enter: (app) => {
      const { concurrency, requests, windowMs, retryAfter, random: rate } = limits();
      // Counted before anything is refused: hammering a closed door keeps it closed.
      if (countInWindow(app, windowMs) > requests)
        throw new GraphFault(429, 'TooManyRequests', 'Too many requests.', {
          'retry-after': String(Math.ceil(windowMs / SLOTS / 1_000)),
        });
      if (inFlight >= concurrency || random.chance(rate))
        throw new GraphFault(
          429,
          'ApplicationThrottled',
          'Application is over its MailboxConcurrency limit.',
          { 'retry-after': String(retryAfter) },
        );
      inFlight++;
    },
    leave: () => {
      inFlight--;
    },
    inFlight: () => inFlight,
  };
}
