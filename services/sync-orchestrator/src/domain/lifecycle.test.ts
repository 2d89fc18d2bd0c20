// The table of account states: any order of events keeps to it, the diagram shows it, and each state says what to do.
import { readFileSync } from 'node:fs';
import { ACCOUNT_STATES, type AccountState, FAILURE_CLASSES, type SyncFailed } from '@mailstream/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { adviceFor } from './advice.ts';
import { decide, type SyncEvent } from './decide.ts';
import { ACTIVE_STATES, mayFollow, TRANSITIONS, verbOf } from './lifecycle.ts';
import type { SyncLimits } from './start.ts';
import { newMailbox, newMailboxList, type ScopeState, type SyncState } from './state.ts';

const NOW = new Date('2026-01-01T12:00:00Z');
const LIMITS: SyncLimits = {
  inFlight: 3,
  pollMs: 60_000,
  deepPollMs: 900_000,
  lostMs: 600_000,
  backPressureMs: 1_000,
};
const context = { now: NOW, random: 0.5, runSeed: 'run', backfillAllowed: true, limits: LIMITS };

const inFlight = { run: 'a', lane: 'live', since: NOW } as const;
const list = { ...newMailboxList(), cursorAt: NOW, inFlight };
const inbox = {
  ...newMailbox({ mailbox: 'inbox', path: 'INBOX', address: 'INBOX' }, true),
  backfilled: true,
  inFlight,
};

function given(state: AccountState, ...scopes: ScopeState[]): SyncState {
  return { state, reason: null, spending: null, scopes: new Map(scopes.map((each) => [each.scope, each])) };
}

const failed = (scope: string, failure: SyncFailed['failure']): SyncEvent => ({
  kind: 'failed',
  at: NOW,
  data: { scope, run: 'a', failure, code: `x.${failure}`, message: 'it failed', retryAfterMs: null },
});

const anyScope = fc.constantFrom('mailboxes', 'inbox', 'archive');
const anyEvent: fc.Arbitrary<(state: SyncState) => SyncEvent> = fc.oneof(
  fc.constantFrom('paused', 'resumed', 'reconfigured', 'swept').map((kind) => () => ({ kind }) as const),
  fc.constantFrom('push', 'user', 'poll', 'retry').map((reason) => () => ({ kind: 'hint', reason }) as const),
  anyScope.map((scope) => () => ({ kind: 'seeded', scope }) as const),
  fc
    .record({ scope: anyScope, done: fc.boolean() })
    .map(
      (data) => () => ({ kind: 'advanced', at: NOW, data: { ...data, estimate: null } }) satisfies SyncEvent,
    ),
  fc.boolean().map((there) => (): SyncEvent => {
    if (!there) return { kind: 'mailbox', data: { op: 'removed', mailbox: 'archive', origin: 'live' } };
    const named = { mailbox: 'archive', path: 'Archive', name: 'Archive', address: 'Archive', parent: null };
    const data = {
      op: 'upsert',
      ...named,
      role: null,
      selectable: true,
      origin: 'live',
      state: null,
    } as const;
    return { kind: 'mailbox', data: { ...data, messages: null } };
  }),
  // Of the fetch under way, so that it counts.
  fc
    .record({ scope: anyScope, failure: fc.option(fc.constantFrom(...FAILURE_CLASSES)), done: fc.boolean() })
    .map(({ scope, failure, done }) => (state: SyncState): SyncEvent => {
      const run = state.scopes.get(scope)?.inFlight?.run ?? 'none';
      if (failure === null) return { kind: 'reported', scope, report: { run, outcome: 'advanced', done } };
      const said = { code: 'x.y', message: failure, retryAfterMs: null };
      return { kind: 'failed', at: NOW, data: { scope, run, failure, ...said } };
    }),
);

describe('the states of an account', () => {
  it('follow each other as the table has it, in any order of events', () => {
    const seen = new Set<AccountState>();
    fc.assert(
      fc.property(
        fc.constantFrom(...ACCOUNT_STATES),
        fc.array(anyEvent, { maxLength: 40 }),
        (first, events) => {
          let state = given(first, { ...list, cursorAt: null }, inbox);
          for (const event of events) {
            const decision = decide(state, event(state), context);
            const [from, to] = [state.state, decision.state.state];
            if (!mayFollow(from, to)) throw new Error(`${from} → ${to}`);
            const told = decision.effects.filter((effect) => effect.kind === 'state');
            expect(told.some((effect) => effect.from === from && effect.to === to)).toBe(
              from !== to || decision.state.reason !== state.reason,
            );
            if (!ACTIVE_STATES.includes(to))
              expect(decision.effects.filter(({ kind }) => kind !== 'state')).toEqual([]);
            state = decision.state;
            seen.add(to);
          }
        },
      ),
      { numRuns: 300 },
    );
    expect([...seen].sort()).toEqual([...ACCOUNT_STATES].sort());
  });

  it('are drawn in ARCHITECTURE.md as the table has them', () => {
    expect(drawn()).toEqual(
      ACCOUNT_STATES.flatMap((from) => TRANSITIONS[from].map((to) => `${from} → ${to}`)).sort(),
    );
  });

  it.each(ACCOUNT_STATES)('say what to do: %s', (state) => {
    const advice = adviceFor({ id: 'some-id', state, connect: null, retryAt: null });
    expect(advice).toMatch(/^.{20,}\.$/);
    const acts = ['failed', 'reauth_required', 'paused'].includes(state);
    expect(advice.includes('some-id')).toBe(acts);
  });

  it('are told with the verb that fits', () => {
    expect(verbOf('live', 'paused')).toBe('paused');
    expect(verbOf('paused', 'connecting')).toBe('resumed');
    expect(verbOf('paused', 'removing')).toBe('updated');
    expect(verbOf('removing', 'removed')).toBe('removed');
    expect(verbOf('live', 'degraded')).toBe('updated');
  });
});

describe('an account has failed', () => {
  const after = (state: SyncState, ...events: SyncEvent[]) =>
    events.reduce((at, event) => decide(at, event, context).state, state);
  const live = given('live', list, inbox);

  it('when its mailboxes cannot be listed, and trying again will not help', () => {
    expect(after(live, failed('mailboxes', 'permanent'))).toMatchObject({
      state: 'failed',
      reason: 'it failed',
    });
    expect(after(live, failed('mailboxes', 'network')).state).toBe('degraded');
  });

  it('not when one mailbox cannot be read', () => {
    expect(after(live, failed('inbox', 'permanent')).state).toBe('degraded');
  });

  it('until a fetch succeeds', () => {
    const down = after(live, failed('mailboxes', 'permanent'), { kind: 'hint', reason: 'user' });
    const run = down.scopes.get('mailboxes')?.inFlight?.run ?? '';
    const report = { run, outcome: 'nothing', done: true } as const;
    expect(after(down, { kind: 'reported', scope: 'mailboxes', report }).state).toBe('live');
  });
});

/** The edges of the diagram; those of a box are those of each state in it, and in a box any may follow any. */
function drawn(): string[] {
  const page = readFileSync(`${import.meta.dirname}/../../../../ARCHITECTURE.md`, 'utf8');
  const diagram = /```mermaid\nstateDiagram-v2\n(.*?)```/s.exec(page)?.[1] ?? '';
  const [, box = '', inside = ''] = /state (\w+) \{(.*?)\}/s.exec(diagram) ?? [];
  const members = inside.trim().split(/\s+/);
  const within = members.flatMap((from) =>
    members.filter((to) => to !== from).map((to) => `${from} → ${to}`),
  );
  const edges = [...diagram.matchAll(/^ *(\w+) --> (\w+)/gm)].flatMap(([, from = '', to = '']) =>
    (from === box ? members : [from]).flatMap((each) =>
      (to === box ? members : [to]).map((next) => `${each} → ${next}`),
    ),
  );
  return [...within, ...edges].sort();
}
