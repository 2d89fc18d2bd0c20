// `decide` as a specification: given what is known, when something happens, then this is done.
import type { FetchReport, HintReason } from '@mailstream/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide, type SyncEvent } from './decide.ts';
import { newMailbox } from './state.ts';
import {
  archive,
  given,
  inbox,
  jobs,
  LIMITS,
  list,
  NOW,
  place,
  report,
  running,
  when,
} from './testkit-decide.ts';

describe('hints', () => {
  it('a push looks at the hot scopes only, at the list of mailboxes last', () => {
    const pushed = when(given(list(), inbox(), archive()), { kind: 'hint', reason: 'push' });
    expect(jobs(pushed.effects)).toEqual(['live inbox']);
    const told = when(pushed.state, { kind: 'reported', scope: 'inbox', report: report('run.0') });
    expect(jobs(told.effects)).toEqual(['live mailboxes']);
  });

  it('a list of mailboxes that is due, or whose hot mailboxes may not be looked at now, waits for none of them', () => {
    const push = { kind: 'hint', reason: 'push' } as const;
    const due = { checkedAt: new Date(NOW.getTime() - LIMITS.pollMs) };
    expect(jobs(when(given(list(due), inbox(running('a'))), push).effects)).toEqual(['live mailboxes']);
    const failure = { failure: 'network' as const, code: 'imap.timeout', message: 'no answer', at: NOW };
    const later = { retryAt: new Date(NOW.getTime() + 60_000), failure };
    expect(jobs(when(given(list(), inbox(later)), push).effects)).toEqual(['live mailboxes']);
    const importing = running('a', 'backfill');
    expect(jobs(when(given(list(), inbox(importing)), push).effects)).toEqual(['live mailboxes']);
  });

  it('a person’s request looks at all scopes, a few at a time', () => {
    const { state, effects } = when(given(list(), inbox(), archive(), archive({ scope: 'other' })), {
      kind: 'hint',
      reason: 'user',
    });
    expect(jobs(effects)).toHaveLength(LIMITS.inFlight);
    expect([...state.scopes.values()].filter((scope) => scope.wanted)).toHaveLength(1);
  });

  it('a poll looks at what is due', () => {
    const due = { checkedAt: new Date(NOW.getTime() - LIMITS.pollMs) };
    expect(
      jobs(when(given(list(due), inbox(due), archive()), { kind: 'hint', reason: 'poll' }).effects),
    ).toEqual(['live mailboxes']);
  });

  it('while a fetch is in flight a hint is remembered, and answered when it ends', () => {
    const hinted = when(given(list(), inbox(running('a'))), { kind: 'hint', reason: 'push' });
    expect(jobs(hinted.effects)).toEqual([]);
    const ended = when(hinted.state, { kind: 'reported', scope: 'inbox', report: report('a') });
    expect(jobs(ended.effects)).toEqual(['live inbox']);
  });

  it('a person cuts a back-off short, but not one that the provider asked for', () => {
    const later = new Date(NOW.getTime() + 60_000);
    const failure = { code: 'x', message: 'x', at: NOW, run: 'r' };
    const broken = inbox({ attempts: 2, retryAt: later, failure: { ...failure, failure: 'network' } });
    const throttled = archive({ attempts: 2, retryAt: later, failure: { ...failure, failure: 'quota' } });
    const { effects } = when(given(list(), broken, throttled), { kind: 'hint', reason: 'user' });
    expect(jobs(effects)).toEqual(['live mailboxes', 'live inbox']);
  });
});

describe('failures', () => {
  const failed = (
    failure: 'network' | 'auth' | 'gone' | 'quota',
    retryAfterMs: number | null = null,
  ): SyncEvent => ({
    kind: 'failed',
    at: NOW,
    data: { scope: 'inbox', run: 'a', failure, code: `test.${failure}`, message: 'it failed', retryAfterMs },
  });

  it('are tried again later, and the account says so', () => {
    const { state, effects } = when(given(list(), inbox(running('a'))), failed('network'));
    expect(jobs(effects)).toEqual([]);
    expect(state).toMatchObject({ state: 'degraded', reason: 'it failed' });
    expect(effects).toContainEqual({ kind: 'wake', at: state.scopes.get('inbox')?.retryAt });
  });

  it('wait at least as long as the provider asked', () => {
    const { state } = when(given(list(), inbox(running('a'))), failed('quota', 3_600_000));
    expect(state.scopes.get('inbox')?.retryAt).toEqual(new Date(NOW.getTime() + 3_600_000));
  });

  it('told twice count once', () => {
    const once = when(given(list(), inbox(running('a'))), failed('network')).state;
    expect(when(once, failed('network')).state.scopes.get('inbox')?.attempts).toBe(1);
    const again = when(once, { kind: 'hint', reason: 'user' }).effects;
    expect(again).toContainEqual(expect.objectContaining({ kind: 'job', scope: 'inbox', attempt: 2 }));
  });

  it('of the credentials stop the account until they are new', () => {
    const stopped = when(given(list({ wanted: 'poll' }), inbox(running('a'))), failed('auth'));
    expect(stopped.state.state).toBe('reauth_required');
    expect(jobs(when(stopped.state, { kind: 'hint', reason: 'user' }).effects)).toEqual([]);
    expect(jobs(when(stopped.state, { kind: 'reconfigured' }).effects)).toEqual([
      'live mailboxes',
      'live inbox',
    ]);
  });

  it('of a fetch with the credentials before are not held against the new ones', () => {
    const renewed = when(given(list(), inbox(running('a'))), { kind: 'reconfigured' }).state;
    expect(when(renewed, failed('auth')).state).toEqual(renewed);
  });

  it('of a mailbox that is gone ask for the list of mailboxes', () => {
    expect(jobs(when(given(list(), inbox(running('a'))), failed('gone')).effects)).toEqual([
      'live mailboxes',
    ]);
  });
});

describe('people', () => {
  it('a paused account starts nothing, a resumed one looks at everything', () => {
    const paused = when(given(list(), inbox()), { kind: 'paused' });
    expect(paused.state.state).toBe('paused');
    expect(jobs(when(paused.state, { kind: 'hint', reason: 'user' }).effects)).toEqual([]);
    expect(jobs(when(paused.state, { kind: 'resumed' }).effects)).toEqual(['live mailboxes', 'live inbox']);
  });
});

/** Random lives of an account: hints, ends of fetches, failures, pauses, in any order. */
const step = fc.oneof(
  fc.record({
    kind: fc.constant('hint' as const),
    reason: fc.constantFrom<HintReason>('push', 'user', 'poll', 'retry'),
  }),
  fc.record({
    kind: fc.constant('end' as const),
    pick: fc.nat(),
    outcome: fc.constantFrom<FetchReport['outcome']>('advanced', 'nothing', 'fenced'),
    done: fc.boolean(),
  }),
  fc.record({ kind: fc.constant('fail' as const), pick: fc.nat() }),
  fc.record({ kind: fc.constantFrom('paused' as const, 'resumed' as const) }),
);

it('whatever happens: one fetch per scope, no more than allowed, and in the end every hint was answered', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      let state = given(
        list(),
        newMailbox(place('inbox', 'INBOX'), true),
        newMailbox(place('a', 'A'), false),
        newMailbox(place('b', 'B'), false),
      );
      let now = NOW.getTime();
      let n = 0;
      const flights = () =>
        [...state.scopes.values()].flatMap((scope) =>
          scope.inFlight ? [{ scope: scope.scope, ...scope.inFlight }] : [],
        );
      const apply = (event: SyncEvent) => {
        const busy = new Set(flights().map((flight) => flight.scope));
        now += 1_000;
        n += 1;
        const decision = decide(state, event, {
          now: new Date(now),
          random: 0,
          runSeed: `r${n}`,
          backfillAllowed: true,
          limits: LIMITS,
        });
        const ended =
          event.kind === 'reported' || event.kind === 'failed'
            ? [event.kind === 'failed' ? event.data.scope : event.scope]
            : [];
        for (const effect of decision.effects) {
          if (effect.kind === 'job' && event.kind !== 'paused')
            expect(busy.has(effect.scope) && !ended.includes(effect.scope)).toBe(false);
        }
        state = decision.state;
        expect(flights().length).toBeLessThanOrEqual(LIMITS.inFlight);
      };
      for (const one of steps) {
        if (!('pick' in one)) apply(one);
        else {
          const flying = flights();
          const flight = flying[one.pick % Math.max(flying.length, 1)];
          if (!flight) continue;
          if (one.kind === 'end')
            apply({
              kind: 'reported',
              scope: flight.scope,
              report: { run: flight.run, outcome: one.outcome, done: one.done },
            });
          else
            apply({
              kind: 'failed',
              at: new Date(now),
              data: {
                scope: flight.scope,
                run: flight.run,
                failure: 'network',
                code: 'x',
                message: 'x',
                retryAfterMs: null,
              },
            });
        }
      }
      apply({ kind: 'resumed' });
      for (let rounds = 0; rounds < 100 && flights().length > 0; rounds += 1) {
        for (const flight of flights())
          apply({
            kind: 'reported',
            scope: flight.scope,
            report: { run: flight.run, outcome: 'advanced', done: true },
          });
      }
      expect(flights()).toEqual([]);
      expect([...state.scopes.values()].every((scope) => scope.wanted === null && scope.backfilled)).toBe(
        true,
      );
      expect(state.state).toBe('live');
    }),
    { numRuns: 500 },
  );
});
