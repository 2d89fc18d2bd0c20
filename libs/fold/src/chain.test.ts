import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Chains, judge, scopeKey, type Verdict } from './chain.ts';
import type { Unit } from './page-collector.ts';
import type { CursorFact, Page, Scope } from './port.ts';

const inbox: Scope = { tenant: 'acme', account: 'ada', scope: 'inbox' };
const sent: Scope = { ...inbox, scope: 'sent' };

const none: Chains = new Map();
const at = (page: string, scope = inbox): Chains => new Map([[scopeKey(scope), { scope, page }]]);

function unit(what: { page?: Page; broken?: Scope }): Unit {
  const last = {
    stream: 'MAIL',
    subject: '',
    sequence: 1n,
    time: new Date(0),
    data: new Uint8Array(),
    headers: {},
  };
  return { page: what.page ?? null, broken: what.broken ?? null, poison: [], last, events: 1, bytes: 0 };
}

function pageWith(event: CursorFact['event']): Unit {
  const { tenant, account } = event;
  const cursor = { sequence: 1n, version: 1n, time: new Date(0), subject: '', event };
  return unit({ page: { tenant, account, facts: [], cursor, sequence: 1n } });
}

const attributes = {
  specversion: '1.0',
  id: '1',
  source: '/test',
  time: '',
  datacontenttype: 'application/json',
} as const;

/** A page `id` that continues `prev`. */
function page(id: string, prev: string | null, { tenant, account, scope } = inbox): Unit {
  return pageWith({
    ...attributes,
    ...{ tenant, account, type: 'mailstream.cursor.advanced.v1' },
    data: {
      scope,
      page: id,
      prev,
      cursor: 1,
      origin: 'live',
      run: 'r',
      count: 0,
      done: true,
      estimate: null,
    },
  });
}

function seed(id: string, prev: string | null): Unit {
  return pageWith({
    ...attributes,
    ...{ tenant: 'acme', account: 'ada', type: 'mailstream.cursor.seeded.v1' },
    data: { scope: 'inbox', page: id, prev, cursor: 1, reason: 'recreated' },
  });
}

const ids = (verdict: Verdict) => verdict.pages.map((each) => each.cursor?.event.data.page);
const authority = (chains: Chains, ...units: Unit[]) => judge(units, chains, true);
const follower = (chains: Chains, ...units: Unit[]) => judge(units, chains, false);

describe('a page', () => {
  it('counts when it continues the last one applied, within a transaction too', () => {
    const verdict = authority(at('p1'), page('p2', 'p1'), page('p3', 'p2'), page('s1', null, sent));
    expect(ids(verdict)).toEqual(['p2', 'p3', 's1']);
    expect([...verdict.changed.values()].map((chain) => chain.page)).toEqual(['p3', 's1']);
    expect(verdict.diverged).toEqual([]);
  });

  it.each([
    ['stale', page('z', 'p1')],
    ['the same again', page('p2', 'p1')],
    ['from an empty log', page('z', null)],
    ['from after what we have', page('z', 'p3')],
  ])('that is %s is discarded', (_, stale) => {
    const verdict = authority(at('p2'), stale);
    expect(verdict).toMatchObject({ pages: [], discarded: [inbox] });
    expect(verdict.changed.size).toBe(0);
  });

  it('that was discarded leaves the log diverged, unless a good one follows or it repeats the last', () => {
    expect(authority(at('p2'), page('z', 'p1')).diverged).toEqual([inbox]);
    expect(authority(at('p2'), page('z', 'p1'), page('p3', 'p2')).diverged).toEqual([]);
    expect(authority(at('p2'), page('p2', 'p1')).diverged).toEqual([]);
  });

  it('whose cursor cannot be read is given up, for the first of a scope too', () => {
    expect(authority(none, unit({ broken: inbox }))).toMatchObject({ discarded: [inbox], diverged: [inbox] });
    expect(ids(authority(at('p1'), unit({ broken: inbox }), page('p2', 'p1')))).toEqual(['p2']);
  });
});

describe('a seed', () => {
  it('counts for the authority behind the page it was made after, and only there', () => {
    expect(authority(at('p2'), seed('s', 'p2'))).toMatchObject({
      seeded: [inbox],
      arrived: [inbox],
      diverged: [],
    });
    expect(authority(at('p3'), seed('s', 'p2'))).toMatchObject({
      seeded: [],
      arrived: [inbox],
      diverged: [inbox],
    });
    expect(authority(none, seed('s', 'p2')).pages).toEqual([]);
  });

  it('leads the others to where the authority is', () => {
    expect(ids(follower(at('p9'), seed('s', 'p2'), page('p3', 's')))).toEqual(['s', 'p3']);
  });
});

describe('a fold that is not the authority', () => {
  it('takes the next page where it has lost the thread, and only there', () => {
    expect(ids(follower(none, page('p7', 'p6')))).toEqual(['p7']);
    expect(ids(follower(at('p2'), page('p7', 'p6')))).toEqual([]);
    expect(ids(follower(at('p2'), unit({ broken: inbox }), page('p7', 'p6')))).toEqual(['p7']);
  });
});

it('ends the chains of a removed account', () => {
  const removed: Unit = unit({
    page: {
      ...{ tenant: 'acme', account: 'ada', cursor: null, sequence: 1n },
      facts: [
        {
          ...{ sequence: 1n, version: 1n, time: new Date(0), subject: '' },
          event: {
            ...attributes,
            ...{ tenant: 'acme', account: 'ada', type: 'mailstream.account.changed.v1' },
            data: { verb: 'removed', provider: 'imap', name: 'Ada', state: 'removed', reason: null },
          },
        },
      ],
    },
  });
  expect(authority(at('p1'), removed).removed).toEqual(['ada']);
});

it('applies one unbroken line of pages, whatever is thrown at it and however it is cut', () => {
  const anyId = fc.constantFrom('a', 'b', 'c', 'd');
  const anyPage = fc.tuple(anyId, fc.option(anyId, { nil: null }), fc.boolean());
  fc.assert(
    fc.property(fc.array(anyPage, { maxLength: 40 }), fc.nat(40), (drafts, cut) => {
      const units = drafts.map(([id, prev, isSeed]) => (isSeed ? seed(id, prev) : page(id, prev)));
      const whole = authority(none, ...units);
      let last: string | null = null;
      for (const { cursor } of whole.pages) {
        expect(cursor?.event.data.prev ?? null).toBe(last);
        last = cursor?.event.data.page ?? null;
      }
      const first = authority(none, ...units.slice(0, cut));
      const second = authority(first.changed, ...units.slice(cut));
      expect([...ids(first), ...ids(second)]).toEqual(ids(whole));
    }),
  );
});
