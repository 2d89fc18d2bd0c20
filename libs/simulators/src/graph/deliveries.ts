/** Delivers notifications: tries again for hours, and loses patience with endpoints that answer slowly. */
import type { NotificationBehaviour } from '../behaviour.ts';
import type { Clock } from '../clock.ts';
import type { Outbound } from '../http/outbound.ts';

export interface Deliveries {
  /** Posts `value` as `{"value": […]}` after `delayMs`. */
  send(url: string, value: readonly object[], delayMs: number): void;
  stats(): DeliveryStats;
  /** How the endpoint at this URL is treated. */
  stateOf(url: string): 'healthy' | 'slow' | 'drop';
}

export interface DeliveryStats {
  /** Answered with 2xx in time. */
  readonly delivered: number;
  /** Attempts that were not. */
  readonly failed: number;
  /** Never to be tried again. */
  readonly lost: number;
}

interface Delivery {
  readonly url: string;
  readonly body: string;
  readonly firstAt: number;
  readonly attempt: number;
}

interface Health {
  readonly samples: { readonly at: number; readonly tookMs: number }[];
  slowUntil: number;
  dropUntil: number;
}

const IN_TIME_MS = 3_000;
const TIMEOUT_MS = 10_000;
const WINDOW_MS = 10 * 60_000;
/** Fewer answers than this say nothing about an endpoint. */
const ENOUGH_SAMPLES = 10;

export function createDeliveries(
  clock: Clock,
  outbound: Outbound,
  behaviour: () => NotificationBehaviour,
): Deliveries {
  const health = new Map<string, Health>();
  const stats = { delivered: 0, failed: 0, lost: 0 };

  const healthOf = (url: string): Health => {
    const host = new URL(url).host;
    const known = health.get(host) ?? { samples: [], slowUntil: 0, dropUntil: 0 };
    health.set(host, known);
    return known;
  };
  const observe = (url: string, tookMs: number) => {
    const of = healthOf(url);
    const now = clock.now();
    of.samples.push({ at: now, tookMs });
    while ((of.samples[0]?.at ?? now) < now - WINDOW_MS) of.samples.shift();
    if (of.samples.length < ENOUGH_SAMPLES) return;
    const share = (ms: number) =>
      of.samples.filter((sample) => sample.tookMs >= ms).length / of.samples.length;
    if (share(TIMEOUT_MS) > 0.15) of.dropUntil = now + behaviour().penaltyMs;
    else if (share(IN_TIME_MS) > 0.1) of.slowUntil = now + behaviour().penaltyMs;
  };
  const later = (delivery: Delivery, delayMs: number) =>
    clock.at(clock.now() + delayMs, () => void attempt(delivery));

  async function attempt(delivery: Delivery): Promise<void> {
    if (healthOf(delivery.url).dropUntil > clock.now()) {
      stats.lost++;
      return;
    }
    const reply = await outbound.post(
      delivery.url,
      { 'content-type': 'application/json; charset=utf-8' },
      delivery.body,
      TIMEOUT_MS,
    );
    observe(delivery.url, reply.tookMs);
    if (reply.status >= 200 && reply.status < 300 && reply.tookMs <= IN_TIME_MS) {
      stats.delivered++;
      return;
    }
    stats.failed++;
    const { retryMs, retryForMs } = behaviour();
    const pause = retryMs * 2 ** delivery.attempt;
    if (clock.now() + pause > delivery.firstAt + retryForMs) stats.lost++;
    else later({ ...delivery, attempt: delivery.attempt + 1 }, pause);
  }
  return {
    send: (url, value, delayMs) => {
      const delivery = { url, body: JSON.stringify({ value }), firstAt: clock.now(), attempt: 0 };
      const { slowUntil } = healthOf(url);
      const penalty = slowUntil > clock.now() ? behaviour().penaltyMs : 0;
      // Without a delay it leaves at once: a clock that stands still holds nothing up.
      if (delayMs + penalty > 0) later(delivery, delayMs + penalty);
      else void attempt(delivery);
    },
    stats: () => ({ ...stats }),
    stateOf: (url) => {
      const { dropUntil, slowUntil } = healthOf(url);
      if (dropUntil > clock.now()) return 'drop';
      return slowUntil > clock.now() ? 'slow' : 'healthy';
    },
  };
}
