// `decide` as a specification: given what is known, when something happens, then this is done.
import {
  type FetchReport,
  type HintReason,
  MAILBOXES_SCOPE,
  type MailboxUpsert,
} from '@mailstream/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decision, decide, type SyncEffect, type SyncEvent } from './decide.ts';
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

function given(...scopes: ScopeState[]): SyncState {
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
const list = (with_: Partial<ScopeState> = {}): ScopeState => ({
  ...newMailboxList(),
  ...LOOKED_AT,
  ...with_,
});
const place = (mailbox: string, path: string) => ({ mailbox, path, address: path });

const inbox = (with_: Partial<ScopeState> = {}): ScopeState => ({
  ...newMailbox(place('inbox', 'INBOX'), true),
  ...LOOKED_AT,
  ...with_,
});
const archive = (with_: Partial<ScopeState> = {}): ScopeState => ({
  ...newMailbox(place('archive', 'Archive'), false),
  ...LOOKED_AT,
  ...with_,
});
const running = (run: string, lane: 'live' | 'backfill' = 'live') => ({
  inFlight: { run, lane, since: NOW },
});

function when(
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

const jobs = (effects: readonly SyncEffect[]) =>
  effects.flatMap((one) => (one.kind === 'job' ? [`${one.lane} ${one.scope}`] : []));
const report = (run: string, over: Partial<FetchReport> = {}): FetchReport => ({
  run,
  outcome: 'nothing',
  done: true,
  ...over,
});

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

describe('imports', () => {
  it('a new mailbox is imported, the inbox first, and one place stays free for live mail', () => {
    const fresh = given(
      list(),
      newMailbox(place('a', 'A'), false),
      newMailbox(place('b', 'B'), false),
      newMailbox(place('inbox', 'INBOX'), true),
    );
    expect(jobs(when(fresh, { kind: 'swept' }).effects)).toEqual(['backfill inbox', 'backfill a']);
  });

  it('go on page by page until done', () => {
    const importing = given(list(), inbox({ backfilled: false, ...running('a', 'backfill') }));
    const more = when(importing, {
      kind: 'reported',
      scope: 'inbox',
      report: report('a', { outcome: 'advanced', done: false }),
    });
    expect(jobs(more.effects)).toEqual(['backfill inbox']);
    const run = more.state.scopes.get('inbox')?.inFlight?.run ?? '';
    const done = when(more.state, {
      kind: 'reported',
      scope: 'inbox',
      report: report(run, { outcome: 'advanced', done: true }),
    });
    expect(jobs(done.effects)).toEqual([]);
    expect(done.state.state).toBe('live');
  });

  it('are gone on with where a cursor was put back, however complete they seemed', () => {
    const seeded = when(given(list(), inbox(running('a'))), { kind: 'seeded', scope: 'inbox' });
    expect(jobs(seeded.effects)).toEqual(['live inbox']);
    const run = seeded.state.scopes.get('inbox')?.inFlight?.run ?? '';
    const nothing = {
      kind: 'reported',
      scope: 'inbox',
      report: report(run, { outcome: 'nothing' }),
    } as const;
    expect(jobs(when(seeded.state, nothing).effects)).toEqual(['backfill inbox']);
    expect(
      when(given(list()), { kind: 'seeded', scope: MAILBOXES_SCOPE }).state.scopes.get(MAILBOXES_SCOPE),
    ).toMatchObject({
      backfilled: true,
    });
  });

  it('wait while the projector is behind, live looks do not', () => {
    const importing = given(list({ wanted: 'push' }), inbox({ backfilled: false }));
    const { effects } = when(importing, { kind: 'swept' }, { backfillAllowed: false });
    expect(jobs(effects)).toEqual(['live mailboxes']);
    expect(effects).toContainEqual({ kind: 'wake', at: new Date(NOW.getTime() + LIMITS.backPressureMs) });
  });

  it('are gone on with however many live looks wait', () => {
    const busy = given(
      list(),
      inbox(running('a')),
      archive({ ...running('b'), scope: 'b' }),
      archive({ wanted: 'poll', scope: 'c' }),
      archive({ backfilled: false }),
    );
    expect(jobs(when(busy, { kind: 'hint', reason: 'retry' }).effects)).toEqual(['backfill archive']);
  });

  it('a live look comes before the next import page of the same mailbox', () => {
    const { effects } = when(given(list(), inbox({ backfilled: false })), { kind: 'hint', reason: 'push' });
    expect(jobs(effects)).toEqual(['live inbox']);
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

describe('what a fetch spent', () => {
  const entry = (ago: number, units: number) => ({
    at: NOW.getTime() - ago,
    method: 'messages.get',
    units,
  });
  const spending = (...spent: ReturnType<typeof entry>[]) => ({
    perMinute: 6_000,
    projectPerMinute: 1_200_000,
    spent,
  });
  const told = (run: string, over: Partial<FetchReport>): SyncEvent => ({
    kind: 'reported',
    scope: 'inbox',
    report: report(run, over),
  });

  it('is known from then on, also of a fetch that was given up, until it is a minute old', () => {
    const before = {
      ...given(list(), inbox(running('a'))),
      spending: spending(entry(70_000, 5), entry(9_000, 40)),
    };
    const { state } = when(before, told('given up', { spending: spending(entry(3_000, 60)) }));
    expect(state.spending).toEqual(spending(entry(9_000, 40), entry(3_000, 60)));
    expect(state.scopes.get('inbox')?.inFlight?.run).toBe('a');
  });

  it('counts when the fetch failed, and its report changes nothing else', () => {
    const before = given(list(), inbox(running('a')));
    const { state, effects } = when(
      before,
      told('a', { outcome: 'failed', spending: spending(entry(0, 20)) }),
    );
    expect(state).toEqual({ ...before, spending: spending(entry(0, 20)) });
    expect(effects).toEqual([]);
  });

  it('bounds the import, whose end is known while it goes on', () => {
    const importing = inbox({ backfilled: false, ...running('a', 'backfill') });
    const going = { outcome: 'advanced', done: false, remainingMs: 90_000 } as const;
    const { state } = when(given(list(), importing), told('a', going));
    expect(state.scopes.get('inbox')?.importEndsAt).toEqual(new Date(NOW.getTime() + 90_000));
    const run = state.scopes.get('inbox')?.inFlight?.run ?? '';
    const over = when(state, told(run, { outcome: 'advanced', done: true }));
    expect(over.state.scopes.get('inbox')?.importEndsAt).toBeNull();
  });
});

describe('an import that has spent its allowance', () => {
  const importing = { backfilled: false };
  const later = new Date(NOW.getTime() + 40_000);
  const report = (over: Partial<FetchReport>): SyncEvent => ({
    kind: 'reported',
    scope: 'inbox',
    report: { run: 'a', outcome: 'advanced', done: false, ...over },
  });
  const paused = () =>
    when(
      given(list(), inbox({ ...importing, ...running('a', 'backfill') })),
      report({ resumeAfterMs: 40_000 }),
    );

  it('waits until it has another, and is no failure', () => {
    const { state, effects } = paused();
    expect(jobs(effects)).toEqual([]);
    expect(effects).toContainEqual({ kind: 'wake', at: later });
    expect(state.state).toBe('backfilling');
    expect(jobs(when(state, { kind: 'swept' }, { now: later }).effects)).toEqual(['backfill inbox']);
  });

  it('holds up no live look, and waits on after it', () => {
    const looked = when(paused().state, { kind: 'hint', reason: 'push' });
    expect(jobs(looked.effects)).toContain('live inbox');
    const { run = '' } = looked.state.scopes.get('inbox')?.inFlight ?? {};
    for (const outcome of ['advanced', 'nothing'] as const) {
      const { state, effects } = when(looked.state, report({ run, outcome }));
      expect(jobs(effects)).not.toContain('backfill inbox');
      expect(state.scopes.get('inbox')?.retryAt).toEqual(later);
    }
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

const SEEN: MailboxUpsert = {
  op: 'upsert',
  mailbox: 'archive',
  address: 'Archive',
  path: 'Archive',
  name: 'Archive',
  parent: null,
  role: 'archive',
  selectable: true,
  state: '1',
  messages: 1,
  origin: 'live',
};

describe('mailboxes', () => {
  const seen = (over: object): SyncEvent => ({ kind: 'mailbox', data: { ...SEEN, ...over } });

  it('one that changed is looked at, one that cannot be selected is not a scope', () => {
    expect(jobs(when(given(list(), archive()), seen({})).effects)).toEqual(['live archive']);
    expect(when(given(list(), archive()), seen({ selectable: false })).state.scopes.has('archive')).toBe(
      false,
    );
  });

  it('of a provider with one cursor for all, only the one that it names is a scope, and looked at on every push', () => {
    const others = when(given(list()), seen({ scope: 'all' })).state;
    const all = when(others, seen({ mailbox: 'all', scope: 'all' })).state;
    expect([...all.scopes.keys()]).toEqual(['mailboxes', 'all']);
    expect(all.scopes.get('all')?.hot).toBe(true);
  });

  it('one that was renamed keeps its scope and is fetched at its new path', () => {
    const { effects } = when(given(list(), archive()), seen({ path: 'Old/Archive', address: 'Old/Archive' }));
    expect(effects).toContainEqual(
      expect.objectContaining({ kind: 'job', scope: 'archive', address: 'Old/Archive' }),
    );
  });

  it('one that was renamed is fetched at once, whatever failed or still runs at its old path', () => {
    const failing = archive({ attempts: 3, retryAt: new Date(NOW.getTime() + 60_000) });
    for (const known of [failing, archive(running('a'))]) {
      const { effects, state } = when(
        given(list(), known),
        seen({ path: 'Old/Archive', address: 'Old/Archive' }),
      );
      expect(jobs(effects)).toEqual(['live archive']);
      const late = {
        scope: 'archive',
        run: 'a',
        failure: 'gone',
        code: 'x',
        message: 'x',
        retryAfterMs: null,
      } as const;
      expect(when(state, { kind: 'failed', at: NOW, data: late }).state).toEqual(state);
    }
  });
});

it('an account is not live before its mailboxes are known, even when the report of the list is faster than its page', () => {
  const fresh: SyncState = { ...given(newMailboxList()), state: 'connecting' };
  const asked = when(fresh, { kind: 'hint', reason: 'user' });
  const reported = when(asked.state, {
    kind: 'reported',
    scope: MAILBOXES_SCOPE,
    report: report('run.0', { outcome: 'advanced' }),
  });
  expect(reported.state.state).toBe('connecting');
  const known = when(reported.state, { kind: 'mailbox', data: { ...SEEN, mailbox: 'inbox', role: 'inbox' } });
  const listed = when(known.state, {
    kind: 'advanced',
    at: NOW,
    data: { scope: MAILBOXES_SCOPE, done: true, estimate: null },
  });
  expect(listed.state.state).toBe('backfilling');
});

it('the job of a fetch that took the place of another is offered again when that one ends', () => {
  const { state } = when(given(list(), inbox(running('old'))), { kind: 'seeded', scope: 'inbox' });
  const run = state.scopes.get('inbox')?.inFlight?.run;
  const job = expect.objectContaining({ kind: 'job', scope: 'inbox', lane: 'live', run });
  const end = { scope: 'inbox', run: 'old' };
  const fenced = { kind: 'reported', ...end, report: report('old', { outcome: 'fenced' }) } as const;
  expect(when(state, fenced).effects).toEqual([job]);
  const data = { ...end, failure: 'network', code: 'x', message: 'x', retryAfterMs: null } as const;
  expect(when(state, { kind: 'failed', at: NOW, data }).effects).toEqual([job]);
});

it('a fetch that was lost is started again by the sweep', () => {
  const { effects } = when(
    given(list(), inbox(running('a'))),
    { kind: 'swept' },
    { now: new Date(NOW.getTime() + LIMITS.lostMs + 1) },
  );
  expect(jobs(effects)).toContain('live inbox');
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
