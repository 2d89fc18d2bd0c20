/** Accounts to decide about, and what is asked of a decision. */
import type { FetchReport } from '@mailstream/contracts';
import { type Decision, decide, type SyncEffect, type SyncEvent } from './decide.ts';
import type { SyncLimits } from './start.ts';
import { newMailbox, newMailboxList, type ScopeState, type SyncState } from './state.ts';

export const NOW = new Date('2026-01-01T12:00:00Z');
export const LIMITS: SyncLimits = {
  inFlight: 3,
  pollMs: 60_000,
  deepPollMs: 900_000,
  lostMs: 600_000,
  backPressureMs: 1_000,
};

export function given(...scopes: ScopeState[]): SyncState {
  return {
    state: 'live',
    reason: null,
    spending: null,
    scopes: new Map(scopes.map((scope) => [scope.scope, scope])),
  };
}

const LOOKED_AT: Partial<ScopeState> = {
  wanted: null,
  backfilled: true,
  checkedAt: new Date(NOW.getTime() - 5_000),
  cursorAt: new Date(NOW.getTime() - 5_000),
};
export const list = (with_: Partial<ScopeState> = {}): ScopeState => ({
  ...newMailboxList(),
  ...LOOKED_AT,
  ...with_,
});
export const place = (mailbox: string, path: string) => ({ mailbox, path, address: path });

export const inbox = (with_: Partial<ScopeState> = {}): ScopeState => ({
  ...newMailbox(place('inbox', 'INBOX'), true),
  ...LOOKED_AT,
  ...with_,
});
export const archive = (with_: Partial<ScopeState> = {}): ScopeState => ({
  ...newMailbox(place('archive', 'Archive'), false),
  ...LOOKED_AT,
  ...with_,
});
export const running = (run: string, lane: 'live' | 'backfill' = 'live') => ({
  inFlight: { run, lane, since: NOW },
});

export function when(
  state: SyncState,
  event: SyncEvent,
  over: { backfillAllowed?: boolean; now?: Date } = {},
): Decision {
  return decide(state, event, {
    now: NOW,
    random: 0.5,
    runSeed: 'run',
    backfillAllowed: true,
    limits: LIMITS,
    ...over,
  });
}

export const jobs = (effects: readonly SyncEffect[]) =>
  effects.flatMap((one) => (one.kind === 'job' ? [`${one.lane} ${one.scope}`] : []));
export const report = (run: string, over: Partial<FetchReport> = {}): FetchReport => ({
  run,
  outcome: 'nothing',
  done: true,
  ...over,
});
