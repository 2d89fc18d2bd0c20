/** What to do next about an account: a pure function of what is known, what happened, and the time. */
import {
  type CursorAdvanced,
  type FetchReport,
  type HintReason,
  joinSpent,
  type Lane,
  MAILBOXES_SCOPE,
  type MailboxChanged,
  type SyncFailed,
} from '@mailstream/contracts';
import { nextTry } from './failure.ts';
import { isActive, newMailbox, type ScopeState, type SyncState } from './state.ts';

export type SyncEvent =
  | { readonly kind: 'hint'; readonly reason: HintReason }
  | { readonly kind: 'reported'; readonly scope: string; readonly report: FetchReport }
  | { readonly kind: 'failed'; readonly data: SyncFailed; readonly at: Date }
  | {
      readonly kind: 'advanced';
      readonly data: Pick<CursorAdvanced, 'scope' | 'done' | 'estimate'>;
      readonly at: Date;
    }
  | { readonly kind: 'seeded'; readonly scope: string }
  | { readonly kind: 'mailbox'; readonly data: MailboxChanged }
  | { readonly kind: 'paused' }
  | { readonly kind: 'resumed' }
  /** New settings or credentials: whatever waited for a person may be tried now. */
  | { readonly kind: 'reconfigured' }
  /** Nothing happened: see whether something is due, or a fetch was lost. */
  | { readonly kind: 'swept' };

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

export type SyncEffect =
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
  | { readonly kind: 'wake'; readonly at: Date }
  /** The account's state is another one now, and the world is to know. */
  | { readonly kind: 'state' };

export interface Decision {
  readonly state: SyncState;
  readonly effects: readonly SyncEffect[];
}

/** Applies an event, then starts what is wanted and allowed. */
export function decide(state: SyncState, event: SyncEvent, context: DecideContext): Decision {
  const applied = withAccountState(evolve(state, event, context));
  const { scopes, effects } = isActive(applied.state)
    ? start(applied, context)
    : { scopes: applied.scopes, effects: [] };
  const told: SyncEffect[] =
    applied.state === state.state && applied.reason === state.reason ? [] : [{ kind: 'state' }];
  return { state: { ...applied, scopes }, effects: [...told, ...effects] };
}

function evolve(state: SyncState, event: SyncEvent, context: DecideContext): SyncState {
  switch (event.kind) {
    case 'hint':
      return mapScopes(state, (scope) => hinted(scope, event.reason, context));
    case 'reported':
      return withSpending(
        mapScope(state, event.scope, (scope) => reported(scope, event.report, context.now)),
        event.report,
        context.now,
      );
    case 'failed':
      return failed(state, event.data, event.at, context);
    case 'advanced':
      return mapScope(state, event.data.scope, (scope) => ({
        ...scope,
        backfilled: event.data.done,
        estimate: event.data.estimate,
        cursorAt: event.at,
      }));
    case 'seeded':
      // The cursor may be one of the middle of the import, or of its beginning.
      return mapScope(state, event.scope, (scope) => ({
        ...scope,
        wanted: 'user',
        inFlight: null,
        backfilled: event.scope === MAILBOXES_SCOPE,
      }));
    case 'mailbox':
      return mailbox(state, event.data);
    case 'paused':
      return {
        ...mapScopes(state, (scope) => ({ ...scope, inFlight: null })),
        state: 'paused',
        reason: 'paused by a person',
      };
    case 'resumed':
    case 'reconfigured': {
      if (event.kind === 'reconfigured' && state.state === 'paused') return state;
      // A fetch under way with the settings or credentials before is given up.
      const superseded = event.kind === 'reconfigured' ? { inFlight: null } : {};
      const fresh = mapScopes(state, (scope) => ({ ...scope, ...AFRESH, ...superseded, wanted: 'user' }));
      return { ...fresh, state: 'connecting', reason: null };
    }
    case 'swept':
      return mapScopes(state, (scope) => hinted(withoutLost(scope, context), 'poll', context));
    default:
      return event satisfies never;
  }
}

/** A hint makes a scope wanted: hot ones on a push, all on a person's request, those that are due on a schedule. */
function hinted(scope: ScopeState, reason: HintReason, context: DecideContext): ScopeState {
  const meant = reason === 'user' || (reason === 'push' ? scope.hot : isDue(scope, context));
  if (!meant) return scope;
  // Only a person's request cuts a back-off short, and not one that the provider asked for.
  const impatient = reason === 'user' && scope.failure?.failure !== 'quota';
  const retryAt = impatient ? null : scope.retryAt;
  const wanted = scope.wanted === 'user' ? scope.wanted : reason;
  return wanted === scope.wanted && retryAt === scope.retryAt ? scope : { ...scope, wanted, retryAt };
}

function isDue({ scope, checkedAt }: ScopeState, { now, limits }: DecideContext): boolean {
  const interval = scope === MAILBOXES_SCOPE ? limits.pollMs : limits.deepPollMs;
  // A schedule fires a moment early or late; a tenth of slack keeps "every minute" from becoming "every other minute".
  return checkedAt !== null && now.getTime() - checkedAt.getTime() >= interval * 0.9;
}

function reported(scope: ScopeState, report: FetchReport, now: Date): ScopeState {
  if (scope.inFlight?.run !== report.run) return scope;
  const lane = scope.inFlight.lane;
  // A live look leaves an import that waits for its allowance as it was.
  const retryAt = lane === 'live' ? scope.retryAt : null;
  const over = { ...scope, inFlight: null, checkedAt: now, attempts: 0, retryAt, failure: null };
  switch (report.outcome) {
    case 'advanced': {
      const { done, resumeAfterMs, remainingMs } = report;
      const later = (ms: number | undefined) => (ms === undefined ? null : new Date(now.getTime() + ms));
      return {
        ...over,
        backfilled: done,
        retryAt: later(resumeAfterMs) ?? retryAt,
        importEndsAt: done ? null : (later(remainingMs) ?? scope.importEndsAt),
      };
    }
    case 'nothing':
      return { ...over, backfilled: scope.backfilled || lane === 'backfill' };
    case 'fenced':
      return { ...over, wanted: scope.wanted ?? 'retry' };
    case 'failed':
      return scope;
    default:
      return report.outcome satisfies never;
  }
}

/** Also of a fetch that was given up: what was spent is spent. */
function withSpending(state: SyncState, { spending }: FetchReport, now: Date): SyncState {
  if (!spending) return state;
  const spent = joinSpent(state.spending?.spent ?? [], spending.spent, now.getTime());
  return { ...state, spending: { ...spending, spent } };
}

function failed(state: SyncState, data: SyncFailed, at: Date, context: DecideContext): SyncState {
  // Told twice, or of a fetch that was given up: what it says is not of now, such as of credentials that are new meanwhile.
  if (state.scopes.get(data.scope)?.inFlight?.run !== data.run) return state;
  const next = mapScope(state, data.scope, (scope) => {
    const attempts = scope.attempts + 1;
    return {
      ...scope,
      inFlight: null,
      wanted: scope.wanted ?? 'retry',
      attempts,
      retryAt: nextTry(data.failure, attempts, data.retryAfterMs, context.now, context.random),
      failure: { failure: data.failure, code: data.code, message: data.message, at },
    };
  });
  if (data.failure === 'auth') return { ...next, state: 'reauth_required', reason: data.message };
  // The mailbox may have been renamed or deleted: the list of mailboxes knows.
  if (data.failure === 'gone')
    return mapScope(next, MAILBOXES_SCOPE, (list) => ({ ...list, wanted: list.wanted ?? 'retry' }));
  return next;
}

/** What failed before says nothing any more. */
const AFRESH = { retryAt: null, attempts: 0, failure: null } as const;

function mailbox(state: SyncState, data: MailboxChanged): SyncState {
  const scopes = new Map(state.scopes);
  const known = scopes.get(data.mailbox);
  if (data.op === 'removed' || !data.selectable || (data.scope ?? data.mailbox) !== data.mailbox)
    scopes.delete(data.mailbox);
  else if (known) {
    // A fetch under way at the old address is given up.
    const moved = { ...known, ...AFRESH, inFlight: null, address: data.address };
    const there = known.address === data.address ? known : moved;
    scopes.set(data.mailbox, { ...there, path: data.path, wanted: known.wanted ?? 'poll' });
  } else scopes.set(data.mailbox, newMailbox(data, data.role === 'inbox' || data.scope !== undefined));
  return { ...state, scopes };
}

function withoutLost(scope: ScopeState, { now, limits }: DecideContext): ScopeState {
  const lost = scope.inFlight !== null && now.getTime() - scope.inFlight.since.getTime() > limits.lostMs;
  return lost ? { ...scope, inFlight: null, wanted: scope.wanted ?? 'retry' } : scope;
}

/** The account's state follows from its scopes, unless a person or the provider has put it on hold. */
function withAccountState(state: SyncState): SyncState {
  if (!isActive(state.state)) return state;
  const scopes = [...state.scopes.values()];
  const failing = scopes.find((scope) => scope.failure !== null);
  if (failing?.failure) return { ...state, state: 'degraded', reason: failing.failure.message };
  // Not its report but its page: the report may come first, and then no mailbox is known yet.
  const list = state.scopes.get(MAILBOXES_SCOPE);
  if (!list?.cursorAt) return { ...state, state: 'connecting', reason: null };
  const complete = scopes.every((scope) => scope.backfilled);
  return { ...state, state: complete ? 'live' : 'backfilling', reason: null };
}

/** Starts what is wanted: live looks first, hot scopes before others, then imports; one fetch per scope, a few per account. */
function start(
  state: SyncState,
  context: DecideContext,
): { scopes: Map<string, ScopeState>; effects: SyncEffect[] } {
  const scopes = new Map(state.scopes);
  const effects: SyncEffect[] = [];
  const { now, limits } = context;
  const running = [...scopes.values()].flatMap((scope) => scope.inFlight ?? []);
  const room = { live: limits.inFlight - running.length, backfill: 0 };
  // Imports leave one place free, so that a live look never waits for an import page of another mailbox.
  room.backfill = room.live - 1;
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
    if (room[lane] <= 0) continue;
    room.live -= 1;
    room.backfill -= 1;
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

function mapScopes(state: SyncState, change: (scope: ScopeState) => ScopeState): SyncState {
  return { ...state, scopes: new Map([...state.scopes].map(([id, scope]) => [id, change(scope)])) };
}

/** An event about a scope that is not there any more changes nothing. */
function mapScope(state: SyncState, id: string, change: (scope: ScopeState) => ScopeState): SyncState {
  const scope = state.scopes.get(id);
  return scope ? { ...state, scopes: new Map(state.scopes).set(id, change(scope)) } : state;
}
