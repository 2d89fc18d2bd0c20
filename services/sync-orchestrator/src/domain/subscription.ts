/** What to do about an account's subscription to notifications: a pure function of what is known, what happened, and the time. */
import type { FailureClass, SubscriptionReport } from '@mailstream/contracts';
import { backoffMs } from '@mailstream/runtime';

/** A subscription as the provider made it. */
export interface Held {
  readonly id: string;
  readonly secretHash: string;
  readonly notificationUrl: string;
  readonly expiresAt: Date;
}

export interface SubscriptionState {
  /** Null: none was made yet, or not that we know of. */
  readonly held: Held | null;
  /** When the provider is to be asked, to make one or to renew it. */
  readonly dueAt: Date;
  /** Failures in a row. */
  readonly attempts: number;
  /** The last one; gone with the next success. */
  readonly failure: {
    readonly failure: FailureClass;
    readonly code: string;
    readonly message: string;
    readonly at: Date;
  } | null;
}

export type SubscriptionHappening =
  /** See whether the provider is to be asked. */
  | { readonly kind: 'due' }
  /** It has ended or is about to, or the account has come back to life. */
  | { readonly kind: 'renew' }
  | { readonly kind: 'reported'; readonly report: SubscriptionReport };

export interface SubscriptionDecision {
  readonly state: SubscriptionState;
  /** Whether to ask the provider now. */
  readonly ask: boolean;
}

const MINUTE = 60_000;
/** A question that nothing was heard of is asked again after this: what came of it was lost. */
const UNHEARD_MS = 5 * MINUTE;
/** Polling goes on meanwhile, so nothing is urgent. */
const RETRY = { baseMs: MINUTE, maxMs: 6 * 60 * MINUTE };
/** A schedule fires a moment early or late. */
const SLACK_MS = 5_000;

/** `random` is in [0, 1). */
export function decideSubscription(
  state: SubscriptionState | null,
  happening: SubscriptionHappening,
  { now, random }: { readonly now: Date; readonly random: number },
): SubscriptionDecision {
  const known = state ?? { held: null, dueAt: now, attempts: 0, failure: null };
  switch (happening.kind) {
    case 'due':
      if (known.dueAt.getTime() - now.getTime() > SLACK_MS) return { state: known, ask: false };
      return { state: { ...known, dueAt: after(now, UNHEARD_MS) }, ask: true };
    case 'renew':
      return { state: { ...known, dueAt: after(now, UNHEARD_MS) }, ask: true };
    case 'reported':
      return { state: reported(known, happening.report, now, random), ask: false };
    default:
      return happening satisfies never;
  }
}

function reported(
  known: SubscriptionState,
  report: SubscriptionReport,
  now: Date,
  random: number,
): SubscriptionState {
  if (!report.ok) {
    const { failure, code, message, retryAfterMs, gone } = report;
    const attempts = known.attempts + 1;
    const wait = Math.max(backoffMs(RETRY, attempts, random), retryAfterMs ?? 0);
    const held = known.held && known.held.id === gone ? endedBy(now, known.held) : known.held;
    return { held, attempts, dueAt: after(now, wait), failure: { failure, code, message, at: now } };
  }
  const held = heldAfter(known.held, report);
  if (!held) return known;
  // Spread by a tenth, so that those made together are not renewed together.
  const half = (held.expiresAt.getTime() - now.getTime()) / 2;
  const wanted = report.renewAt === undefined ? half : Date.parse(report.renewAt) - now.getTime();
  return {
    held,
    dueAt: after(now, Math.max(Math.min(wanted, half) * (0.9 + random * 0.2), MINUTE)),
    attempts: 0,
    failure: null,
  };
}

function endedBy(now: Date, held: Held): Held {
  return held.expiresAt <= now ? held : { ...held, expiresAt: now };
}

/** Null for news of a subscription that was replaced meanwhile: two fetchers may have had the same job, and the later one ended what the earlier made. */
function heldAfter(held: Held | null, report: Extract<SubscriptionReport, { ok: true }>): Held | null {
  const { id, notificationUrl } = report;
  const expiresAt = new Date(report.expiresAt);
  const same = held?.id === id;
  if (held && !same && held.expiresAt > expiresAt) return null;
  const secretHash = report.secretHash ?? (same ? held.secretHash : null);
  return secretHash === null ? null : { id, secretHash, notificationUrl, expiresAt };
}

function after(now: Date, ms: number): Date {
  return new Date(now.getTime() + ms);
}
