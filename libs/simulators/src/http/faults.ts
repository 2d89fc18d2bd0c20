/** Faults of the transport and the edge: planned for the next requests by name, or drawn by chance. */
import type { Random } from '../random.ts';

export type Fault =
  | {
      readonly kind: 'status';
      readonly status: number;
      /** Of the provider's error; what is usual for the status when absent. */
      readonly code?: string;
      readonly message?: string;
      /** Seconds; no header when absent. */
      readonly retryAfter?: number;
    }
  /** An HTML page of some proxy on the way. */
  | { readonly kind: 'html'; readonly status: number }
  /** The connection breaks in the middle of the body. */
  | { readonly kind: 'reset' }
  /** The body comes in small pieces. */
  | { readonly kind: 'drip' }
  /** The answer waits until `release` is called on the control API. */
  | { readonly kind: 'hold' };

export interface FaultPlan {
  /** `GET`, …; any when absent. */
  readonly method?: string;
  /** A regular expression on path and query, for example `/messages/delta`. */
  readonly path?: string;
  /** The address of one mailbox; any when absent. */
  readonly mailbox?: string;
  /** How many requests it hits. */
  readonly times: number;
  readonly fault: Fault;
}

/** Probabilities of faults, per request. */
export interface FaultRates {
  readonly unavailable: number;
  readonly unavailableWithRetryAfter: number;
  readonly gatewayTimeout: number;
  readonly htmlError: number;
  readonly reset: number;
  readonly drip: number;
  readonly gzip: number;
}

export interface FaultTarget {
  readonly method: string;
  readonly path: string;
  readonly mailbox: string | null;
}

export interface Faults {
  plan(plan: FaultPlan): void;
  /** The fault for this request, if any; it is used up. Without `rates` only planned ones. */
  take(target: FaultTarget, rates: FaultRates | null): Fault | null;
  /** Resolves when held answers may go on. */
  held(): Promise<void>;
  /** How many requests are being held. */
  holding(): number;
  release(): void;
  clear(): void;
}

interface Planned extends FaultPlan {
  readonly pattern: RegExp;
  left: number;
}

export function createFaults(random: Random): Faults {
  let plans: Planned[] = [];
  let holders: (() => void)[] = [];

  const matches = (plan: Planned, { method, path, mailbox }: FaultTarget) =>
    plan.left > 0 &&
    (plan.method === undefined || plan.method === method) &&
    (plan.mailbox === undefined || plan.mailbox === mailbox) &&
    plan.pattern.test(path);

  const release = () => {
    for (const go of holders) go();
    holders = [];
  };
  return {
    plan: (plan) => {
      plans.push({ ...plan, pattern: new RegExp(plan.path ?? ''), left: plan.times });
    },
    take: (target, rates) => {
      const planned = plans.find((plan) => matches(plan, target));
      if (planned) {
        planned.left--;
        if (planned.left === 0) plans = plans.filter((plan) => plan !== planned);
        return planned.fault;
      }
      return rates && drawFault(random, rates);
    },
    held: () => new Promise((resolve) => holders.push(resolve)),
    holding: () => holders.length,
    release,
    clear: () => {
      plans = [];
      release();
    },
  };
}

function drawFault(random: Random, rates: FaultRates): Fault | null {
  if (random.chance(rates.unavailable)) return { kind: 'status', status: 503 };
  if (random.chance(rates.unavailableWithRetryAfter)) return { kind: 'status', status: 503, retryAfter: 1 };
  if (random.chance(rates.gatewayTimeout)) return { kind: 'status', status: 504 };
  if (random.chance(rates.htmlError)) return { kind: 'html', status: 502 };
  if (random.chance(rates.reset)) return { kind: 'reset' };
  return random.chance(rates.drip) ? { kind: 'drip' } : null;
}

export function htmlPage(status: number): string {
  return `<html><head><title>${status} Bad Gateway</title></head><body><h1>Our services aren't available right now</h1></body></html>`;
}
