/** What to do next about an account: a pure function of what is known, what happened, and the time. */
import {
  type AccountState,
  type CursorAdvanced,
  type FetchReport,
  type HintReason,
  joinSpent,
  MAILBOXES_SCOPE,
  type MailboxChanged,
  type SyncFailed,
} from '@mailstream/contracts';
import { nextTry } from './failure.ts';
import { isActive, withAccountState } from './lifecycle.ts';
import { type DecideContext, isDue, type Start, start } from './start.ts';
import { newMailbox, type ScopeState, type SyncState } from './state.ts';

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

export type SyncEffect =
  | Start
  /** The account's state or the reason of it is another one now, and the world is to know. */
  | {
      readonly kind: 'state';
      readonly from: AccountState;
      readonly to: AccountState;
      readonly reason: string | null;
    };

export interface Decision {
  readonly state: SyncState;
  readonly effects: readonly SyncEffect[];
}

/** Applies an event, then starts what is wanted and allowed. */
export function decide(state: SyncState, event: SyncEvent, context: DecideContext): Decision {
  if (state.state === 'removing' || state.state === 'removed') return { state, effects: [] };
  const applied = withAccountState(evolve(state, event, context));
  const { scopes, effects } = isActive(applied.state)
    ? start(applied, context)
    : { scopes: applied.scopes, effects: [] };
  const told: SyncEffect[] =
    applied.state === state.state && applied.reason === state.reason
      ? []
      : [{ kind: 'state', from: state.state, to: applied.state, reason: applied.reason }];
  const again = isActive(applied.state) ? offeredAgain(state, event) : [];
  return { state: { ...applied, scopes }, effects: [...told, ...again, ...effects] };
}

/** A fetch that was given up has ended: while its job was held, the one after it could not be offered. */
function offeredAgain({ scopes }: SyncState, event: SyncEvent): SyncEffect[] {
  const ended = endOf(event);
  const scope = ended && scopes.get(ended.scope);
  if (!scope?.inFlight || scope.inFlight.run === ended?.run) return [];
  const { run, lane } = scope.inFlight;
  const { address, attempts } = scope;
  return [{ kind: 'job', scope: scope.scope, address, lane, run, reason: 'retry', attempt: attempts + 1 }];
}

function endOf(event: SyncEvent): { readonly scope: string; readonly run: string } | null {
  if (event.kind === 'reported') return { scope: event.scope, run: event.report.run };
  return event.kind === 'failed' ? event.data : null;
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
  if (data.failure === 'auth' && isActive(next.state))
    return { ...next, state: 'reauth_required', reason: data.message };
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

function mapScopes(state: SyncState, change: (scope: ScopeState) => ScopeState): SyncState {
  return { ...state, scopes: new Map([...state.scopes].map(([id, scope]) => [id, change(scope)])) };
}

/** An event about a scope that is not there any more changes nothing. */
function mapScope(state: SyncState, id: string, change: (scope: ScopeState) => ScopeState): SyncState {
  const scope = state.scopes.get(id);
  return scope ? { ...state, scopes: new Map(state.scopes).set(id, change(scope)) } : state;
}
