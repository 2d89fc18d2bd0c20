/** How nasty a simulator is: every deviation is a number or a flag, and a profile is a set of them. */
import type { FaultRates } from './http/faults.ts';

/** Numbers without a unit are probabilities in [0, 1]. */
export interface DeltaBehaviour {
  /** What `$top` on a delta request does: ends the round early, or is refused. */
  readonly top: 'cap' | 'reject';
  /** Which parameter a deltaLink carries. */
  readonly deltaLinkParameter: '$deltatoken' | '$skiptoken';
  /** Whether 410 brings a `Location` to start over at. */
  readonly locationOn410: boolean;
  /** A page without entries but with a nextLink comes first. */
  readonly emptyPages: number;
  /** An entry comes twice in its round. */
  readonly duplicates: number;
  /** An old state comes before the present one, or an unchanged message once more. */
  readonly replays: number;
  /** A first round reports as removed what was never in the folder. */
  readonly initialRemovals: number;
  /** `@removed` says `changed`, not `deleted`. */
  readonly changedReasons: number;
  /** A message that left and came back within a round is only reported as removed. */
  readonly lostReturns: number;
  /** A valid link is answered with 410 all the same. */
  readonly expiries: number;
}

export interface ThrottleBehaviour {
  /** Requests at once on one mailbox. */
  readonly concurrency: number;
  /** Requests of one application on one mailbox per window. */
  readonly requests: number;
  readonly windowMs: number;
  /** Seconds said in `Retry-After` when too many requests ran at once. */
  readonly retryAfter: number;
  /** Probability of 429 for no visible reason. */
  readonly random: number;
}

export interface NotificationBehaviour {
  /** Between a change and its notification. */
  readonly delayMs: readonly [min: number, max: number];
  readonly duplicates: number;
  readonly drops: number;
  /** The notifications of one POST are shuffled, and POSTs overtake each other. */
  readonly reorders: number;
  /** First pause before a failed delivery is tried again; doubles each time. */
  readonly retryMs: number;
  /** A delivery is given up after this. */
  readonly retryForMs: number;
  /** How long the slow state delays, and the drop state drops. */
  readonly penaltyMs: number;
  /** More moves than this at once are not notified but end in `missed`. */
  readonly bulkMoves: number;
}

export interface Behaviour {
  readonly delta: DeltaBehaviour;
  readonly throttle: ThrottleBehaviour;
  readonly notifications: NotificationBehaviour;
  readonly transport: FaultRates;
  /** How long a change stays invisible to deltas, and a new message to reading. */
  readonly lagMs: readonly [min: number, max: number];
  /** Time to think, in real milliseconds: without it requests hardly ever overlap. */
  readonly latencyMs: readonly [min: number, max: number];
}

export type BehaviourChange = { readonly [Part in keyof Behaviour]?: Partial<Behaviour[Part]> };

const TEN_MINUTES = 10 * 60_000;

/** A provider on a good day: as documented, prompt, without faults. */
export function plain(): Behaviour {
  return {
    delta: {
      top: 'cap',
      deltaLinkParameter: '$deltatoken',
      locationOn410: false,
      emptyPages: 0,
      duplicates: 0,
      replays: 0,
      initialRemovals: 0,
      changedReasons: 0,
      lostReturns: 0,
      expiries: 0,
    },
    throttle: { concurrency: 4, requests: 10_000, windowMs: TEN_MINUTES, retryAfter: 5, random: 0 },
    notifications: {
      delayMs: [0, 0],
      duplicates: 0,
      drops: 0,
      reorders: 0,
      retryMs: 5_000,
      retryForMs: 4 * 60 * 60_000,
      penaltyMs: TEN_MINUTES,
      bulkMoves: 25,
    },
    transport: {
      unavailable: 0,
      unavailableWithRetryAfter: 0,
      gatewayTimeout: 0,
      htmlError: 0,
      reset: 0,
      drip: 0,
      gzip: 0,
    },
    lagMs: [0, 0],
    latencyMs: [0, 0],
  };
}

/** Everything that can go wrong does, now and then. Which time is decided by the simulator's seed. */
export function chaos(): Behaviour {
  const calm = plain();
  return {
    delta: {
      ...calm.delta,
      emptyPages: 0.1,
      duplicates: 0.1,
      replays: 0.1,
      initialRemovals: 0.3,
      changedReasons: 0.2,
      lostReturns: 1,
      expiries: 0.02,
    },
    throttle: { ...calm.throttle, retryAfter: 1, random: 0.02 },
    notifications: { ...calm.notifications, delayMs: [0, 500], duplicates: 0.1, drops: 0.1, reorders: 0.2 },
    transport: {
      unavailable: 0.01,
      unavailableWithRetryAfter: 0.01,
      gatewayTimeout: 0.01,
      htmlError: 0.01,
      reset: 0.01,
      drip: 0.05,
      gzip: 0.3,
    },
    lagMs: [0, 300],
    latencyMs: [0, 3],
  };
}

/** `behaviour` with the named numbers replaced. */
export function adjust(behaviour: Behaviour, change: BehaviourChange): Behaviour {
  return {
    delta: { ...behaviour.delta, ...change.delta },
    throttle: { ...behaviour.throttle, ...change.throttle },
    notifications: { ...behaviour.notifications, ...change.notifications },
    transport: { ...behaviour.transport, ...change.transport },
    lagMs: [change.lagMs?.[0] ?? behaviour.lagMs[0], change.lagMs?.[1] ?? behaviour.lagMs[1]],
    latencyMs: [
      change.latencyMs?.[0] ?? behaviour.latencyMs[0],
      change.latencyMs?.[1] ?? behaviour.latencyMs[1],
    ],
  };
}
