// `decide` as a specification: imports, and what they may spend.
import { type FetchReport, MAILBOXES_SCOPE } from '@mailstream/contracts';
import { describe, expect, it } from 'vitest';
import type { SyncEvent } from './decide.ts';
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
