/** Which fetches of an account start now, and when it is to be looked at again. Pure. */
import { type HintReason, type Lane, MAILBOXES_SCOPE } from '@mailstream/contracts';
import type { ScopeState, SyncState } from './state.ts';

/** Time, chance, ids and settings come in as data. */
export interface DecideContext {
  readonly now: Date;
  /** In [0, 1). */
  readonly random: number;
  /** Runs started by this decision are `<runSeed>.<n>`. */
  readonly runSeed: string;
  /** False while the projector is behind: no import page is started then. */
  readonly backfillAllowed: boolean;
  readonly limits: SyncLimits;
}

export interface SyncLimits {
  /** Scopes of one account fetched at a time. */
  readonly inFlight: number;
  /** Milliseconds between two looks at the list of mailboxes. */
  readonly pollMs: number;
  /** Milliseconds between two looks at a mailbox that nothing was said about. */
  readonly deepPollMs: number;
  /** Milliseconds after which a fetch that said nothing is given up as lost. */
  readonly lostMs: number;
  /** Milliseconds until a held-back import is looked at again. */
  readonly backPressureMs: number;
}

export type Start =
  | {
      readonly kind: 'job';
      readonly scope: string;
      readonly address: string | null;
      readonly lane: Lane;
      readonly run: string;
      readonly reason: HintReason;
      /** One more than the failures in a row before it. */
      readonly attempt: number;
    }
  /** Look again at this time. */
  | { readonly kind: 'wake'; readonly at: Date };

/** Starts what is wanted: live looks first, hot scopes before others, then imports; one fetch per scope, a few per account. */
export function start(
  state: SyncState,
  context: DecideContext,
): { scopes: Map<string, ScopeState>; effects: Start[] } {
  const scopes = new Map(state.scopes);
  const effects: Start[] = [];
  const { now, limits } = context;
  const room = roomOf(scopes, limits);
  let heldBack = false;

  const idle = [...scopes.values()].filter(
    (scope) => isReady(scope, now) && !givesWay(scope, state.scopes, context),
  );
  for (const scope of idle.sort(byUrgency)) {
    const lane: Lane | null = scope.wanted ? 'live' : scope.backfilled ? null : 'backfill';
    if (lane === null) continue;
    if (lane === 'backfill' && !context.backfillAllowed) {
      heldBack = true;
      continue;
    }
    if (room.all <= 0 || room[lane] <= 0) continue;
    room.all -= 1;
    room[lane] -= 1;
    const run = `${context.runSeed}.${effects.length}`;
    const reason = scope.wanted ?? 'poll';
    const attempt = scope.attempts + 1;
    effects.push({ kind: 'job', scope: scope.scope, address: scope.address, lane, run, reason, attempt });
    const retryAt = lane === 'live' && isPaused(scope) ? scope.retryAt : null;
    scopes.set(scope.scope, { ...scope, wanted: null, retryAt, inFlight: { run, lane, since: now } });
  }

  const times = [...scopes.values()].flatMap((scope) =>
    scope.retryAt && !scope.inFlight ? [scope.retryAt.getTime()] : [],
  );
  if (heldBack) times.push(now.getTime() + limits.backPressureMs);
  if (times.length > 0)
    effects.push({ kind: 'wake', at: new Date(Math.max(Math.min(...times), now.getTime())) });
  return { scopes, effects };
}

/** While mailboxes are imported each lane leaves one place to the other: neither waits for all of the other's work to end. */
function roomOf(scopes: SyncState['scopes'], { inFlight }: SyncLimits): Record<Lane | 'all', number> {
  const all = [...scopes.values()];
  const running = all.flatMap((scope) => scope.inFlight ?? []);
  const importing = all.some(({ backfilled }) => !backfilled);
  const most = importing ? Math.max(1, inFlight - 1) : inFlight;
  const left = (lane: Lane) => most - running.filter((fetch) => fetch.lane === lane).length;
  return { all: inFlight - running.length, live: left('live'), backfill: left('backfill') };
}

function isReady(scope: ScopeState, now: Date): boolean {
  const { inFlight, retryAt, wanted } = scope;
  return !inFlight && (retryAt === null || retryAt <= now || (wanted !== null && isPaused(scope)));
}

/** Its import waits, and did not fail. */
function isPaused({ retryAt, failure }: ScopeState): boolean {
  return retryAt !== null && failure === null;
}

/**
 * A push is about a hot mailbox mostly: the list of mailboxes is looked at after it, or its page would be folded and told first. Unless it is due
 * anyway: a busy inbox must not keep it waiting for ever.
 */
function givesWay(scope: ScopeState, scopes: SyncState['scopes'], context: DecideContext): boolean {
  if (scope.scope !== MAILBOXES_SCOPE || scope.wanted !== 'push' || isDue(scope, context)) return false;
  return [...scopes.values()].some(
    (other) =>
      other !== scope &&
      other.hot &&
      (other.inFlight?.lane === 'live' || (other.wanted !== null && isReady(other, context.now))),
  );
}

function byUrgency(a: ScopeState, b: ScopeState): number {
  return rank(a) - rank(b) || (a.checkedAt?.getTime() ?? 0) - (b.checkedAt?.getTime() ?? 0);
}

function rank(scope: ScopeState): number {
  return (scope.wanted ? 0 : 2) + (scope.hot ? 0 : 1);
}

export function isDue({ scope, checkedAt }: ScopeState, { now, limits }: DecideContext): boolean {
  const interval = scope === MAILBOXES_SCOPE ? limits.pollMs : limits.deepPollMs;
  // A schedule fires a moment early or late; a tenth of slack keeps "every minute" from becoming "every other minute".
  return checkedAt !== null && now.getTime() - checkedAt.getTime() >= interval * 0.9;
}
