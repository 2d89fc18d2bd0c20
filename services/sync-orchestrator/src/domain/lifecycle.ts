/** The states of an account and what leads from one to another: the table that everything keeps to. Pure. */
import { type AccountState, type AccountVerb, MAILBOXES_SCOPE } from '@mailstream/contracts';
import type { ScopeState, SyncState } from './state.ts';

/** While an account is looked at, its state follows from its scopes, and any of these may follow any other. */
const LOOKED_AT = ['connecting', 'backfilling', 'live', 'degraded', 'failed'] as const;

const FROM_LOOKED_AT = ['reauth_required', 'paused', 'removing'] as const;

/** From each state, the others that may come next. The diagram in ARCHITECTURE.md is this table. */
export const TRANSITIONS: Readonly<Record<AccountState, readonly AccountState[]>> = {
  connecting: ['backfilling', 'live', 'degraded', 'failed', ...FROM_LOOKED_AT],
  backfilling: ['connecting', 'live', 'degraded', 'failed', ...FROM_LOOKED_AT],
  live: ['connecting', 'backfilling', 'degraded', 'failed', ...FROM_LOOKED_AT],
  degraded: ['connecting', 'backfilling', 'live', 'failed', ...FROM_LOOKED_AT],
  failed: ['connecting', 'backfilling', 'live', 'degraded', ...FROM_LOOKED_AT],
  // Somebody has to act; then it is where its scopes were left.
  reauth_required: [...LOOKED_AT, 'paused', 'removing'],
  paused: [...LOOKED_AT, 'removing'],
  removing: ['removed'],
  removed: [],
};

export function mayFollow(from: AccountState, to: AccountState): boolean {
  return from === to || TRANSITIONS[from].includes(to);
}

/** The states of accounts that are looked at. A failed one is, too: less and less often, in case somebody mended what it failed of. */
export const ACTIVE_STATES: readonly AccountState[] = LOOKED_AT;

export function isActive(state: AccountState): boolean {
  return ACTIVE_STATES.includes(state);
}

/** The state of an account that is looked at, as its scopes have it; any other stays as a person or the provider put it. */
export function withAccountState(state: SyncState): SyncState {
  if (!isActive(state.state)) return state;
  const scopes = [...state.scopes.values()];
  const list = state.scopes.get(MAILBOXES_SCOPE);
  const failing = list?.failure ? list : scopes.find((scope) => scope.failure !== null);
  if (failing?.failure) {
    const hopeless = isHopeless(list) || scopes.every(isHopeless);
    return { ...state, state: hopeless ? 'failed' : 'degraded', reason: failing.failure.message };
  }
  // Not its report but its page: the report may come first, and then no mailbox is known yet.
  if (!list?.cursorAt) return { ...state, state: 'connecting', reason: null };
  const complete = scopes.every((scope) => scope.backfilled);
  return { ...state, state: complete ? 'live' : 'backfilling', reason: null };
}

/** Where not even the mailboxes can be listed, it is the connection that fails and not one mailbox. */
function isHopeless(scope: ScopeState | undefined): boolean {
  return scope?.failure?.failure === 'permanent';
}

/** The verb of the fact that tells of a transition. */
export function verbOf(from: AccountState, to: AccountState): AccountVerb {
  if (from === to) return 'updated';
  if (to === 'paused') return 'paused';
  if (from === 'paused' && isActive(to)) return 'resumed';
  return to === 'removed' ? 'removed' : 'updated';
}
