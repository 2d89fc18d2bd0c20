// `decide` as a specification: mailboxes that come, change and go.
import { MAILBOXES_SCOPE, type MailboxUpsert } from '@mailstream/contracts';
import { describe, expect, it } from 'vitest';
import type { SyncEvent } from './decide.ts';
import { newMailboxList, type SyncState } from './state.ts';
import { archive, given, inbox, jobs, LIMITS, list, NOW, report, running, when } from './testkit-decide.ts';

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
