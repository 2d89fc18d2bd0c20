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

export interface GmailBehaviour {
  /** How much a history id grows with a change. */
  readonly historyGap: readonly [min: number, max: number];
  /** The history ids of a new mailbox begin above 2^53. */
  readonly hugeHistoryIds: number;
  /** How far back `history.list` reaches. */
  readonly historyKeptMs: number;
  /** How long reading a message answers 404 after lists and history know it. */
  readonly readLagMs: readonly [min: number, max: number];
  /** A record is told together with the next one. */
  readonly merges: number;
  /** What was done at once is told in two records. */
  readonly splits: number;
  /** A page of history has a nextPageToken but no history. */
  readonly emptyPages: number;
  /** A record does not say which labels the message has. */
  readonly omittedLabels: number;
  /** A valid startHistoryId is answered with 404 all the same. */
  readonly expiries: number;
  /** What a `fields` mask that selects nothing is answered with: 204, or an empty object. */
  readonly emptyMask: 'no-content' | 'empty';
  /** base64url ends in `=` where base64 does. */
  readonly padding: number;
  /** Which message is the sent one: the draft itself, or a new one. */
  readonly sentDrafts: 'same' | 'new';
}

export interface QuotaBehaviour {
  /** What each method costs: as of May 2026, or as before. */
  readonly costs: '2026' | 'legacy';
  /** Of one user and project. */
  readonly unitsPerMinute: number;
  readonly projectUnitsPerMinute: number;
  /** Requests of one user at once. */
  readonly concurrency: number;
  /** How a user over the limit is told: 403 `rateLimitExceeded`, 403 `userRateLimitExceeded`, or 429. */
  readonly refusal: 'quota' | 'user-rate' | 'exhausted';
  /** The text of 403 `userRateLimitExceeded` names the time to come back. */
  readonly namesTime: number;
  /** Probability of any of these for no visible reason. */
  readonly random: number;
}

export type TokenVariant =
  | 'good'
  | 'none'
  | 'wrong-audience'
  | 'wrong-email'
  | 'unverified-email'
  | 'wrong-issuer'
  | 'expired'
  | 'forged'
  | 'unsigned';

export interface PushBehaviour {
  /** Changes of one mailbox within this are told once; what comes too soon is told at its end. */
  readonly everyMs: number;
  /** What comes too soon is not told at all. */
  readonly excessDrops: number;
  readonly delayMs: readonly [min: number, max: number];
  readonly duplicates: number;
  readonly drops: number;
  /** Notifications overtake each other. */
  readonly reorders: number;
  /** Gmail documents a string and sends a number. */
  readonly historyId: 'number' | 'string';
  readonly base64: 'standard' | 'url';
  /** The OIDC token of pushes. */
  readonly token: TokenVariant;
  /** Pause before a push that was not acknowledged comes again; doubles up to the second number. */
  readonly retryMs: readonly [first: number, longest: number];
  /** How long a message waits to be acknowledged. */
  readonly keptMs: number;
}

export interface Behaviour {
  readonly delta: DeltaBehaviour;
  readonly gmail: GmailBehaviour;
  readonly quota: QuotaBehaviour;
  readonly push: PushBehaviour;
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
const SEVEN_DAYS = 7 * 24 * 60 * 60_000;

/** The limits of projects that began in May 2026, of older ones, or none; costs are counted all the same. */
export function quotaProfile(
  name: '2026' | 'legacy' | 'off',
): Pick<QuotaBehaviour, 'costs' | 'unitsPerMinute' | 'projectUnitsPerMinute'> {
  switch (name) {
    case '2026':
      return { costs: '2026', unitsPerMinute: 6_000, projectUnitsPerMinute: 1_200_000 };
    case 'legacy':
      return { costs: 'legacy', unitsPerMinute: 15_000, projectUnitsPerMinute: 1_200_000 };
    case 'off':
      return { costs: '2026', unitsPerMinute: 1e12, projectUnitsPerMinute: 1e12 };
    default:
      return name satisfies never;
  }
}

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
    gmail: {
      historyGap: [1, 40],
      hugeHistoryIds: 0,
      historyKeptMs: SEVEN_DAYS,
      readLagMs: [0, 0],
      merges: 0,
      splits: 0,
      emptyPages: 0,
      omittedLabels: 0,
      expiries: 0,
      emptyMask: 'empty',
      padding: 0,
      sentDrafts: 'same',
    },
    quota: { ...quotaProfile('2026'), concurrency: 10, refusal: 'quota', namesTime: 0, random: 0 },
    push: {
      everyMs: 1_000,
      excessDrops: 0,
      delayMs: [0, 0],
      duplicates: 0,
      drops: 0,
      reorders: 0,
      historyId: 'number',
      base64: 'standard',
      token: 'good',
      retryMs: [1_000, 60_000],
      keptMs: SEVEN_DAYS,
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
    gmail: {
      ...calm.gmail,
      hugeHistoryIds: 0.5,
      readLagMs: [0, 300],
      merges: 0.2,
      splits: 0.3,
      emptyPages: 0.1,
      omittedLabels: 0.05,
      expiries: 0.02,
      emptyMask: 'no-content',
      padding: 0.5,
      sentDrafts: 'new',
    },
    quota: { ...calm.quota, namesTime: 0.5, random: 0.02 },
    push: {
      ...calm.push,
      excessDrops: 0.5,
      delayMs: [0, 500],
      duplicates: 0.1,
      drops: 0.1,
      reorders: 0.2,
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
    gmail: { ...behaviour.gmail, ...change.gmail },
    quota: { ...behaviour.quota, ...change.quota },
    push: { ...behaviour.push, ...change.push },
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
