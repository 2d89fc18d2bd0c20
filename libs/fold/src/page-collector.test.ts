import type { Stored } from '@mailstream/bus';
import { type AccountRef, EVENT_TYPES, envelope, partitionOf, subjects } from '@mailstream/contracts';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { createPageCollector, type Unit } from './page-collector.ts';

const ada: AccountRef = { tenant: 'acme', account: 'ada' };
const bob: AccountRef = { tenant: 'acme', account: 'bob' };

let sequence = 0n;
beforeEach(() => {
  sequence = 0n;
});

function stored(subject: string, body: unknown): Stored {
  sequence += 1n;
  const data = typeof body === 'string' ? Buffer.from(body) : Buffer.from(JSON.stringify(body));
  return { stream: 'MAIL', subject, sequence, time: new Date(0), data, headers: {} };
}

function event(at: AccountRef, type: string, data: unknown, page?: string) {
  return envelope({ ...at, id: `${sequence}`, source: '/test', type, time: '', data, ...(page && { page }) });
}

const copy = { mailbox: 'inbox', generation: '1', id: '1' };

function message(at: AccountRef, page?: string): Stored {
  const data = { op: 'removed', copy, origin: 'live' };
  return stored(subjects.fact(at, 'message.changed'), event(at, EVENT_TYPES.messageChanged, data, page));
}

function cursor(at: AccountRef, page: string): Stored {
  const data = {
    ...{ scope: 'inbox', page, prev: null, cursor: 1, origin: 'live', run: 'r' },
    ...{ count: 0, done: true, estimate: null },
  };
  return stored(subjects.cursor(at, 'inbox'), event(at, EVENT_TYPES.cursorAdvanced, data, page));
}

function accountChanged(at: AccountRef): Stored {
  const data = { verb: 'paused', provider: 'imap', name: 'Ada', state: 'paused', reason: null };
  return stored(subjects.fact(at, 'account.paused'), event(at, EVENT_TYPES.accountChanged, data));
}

const garbage = (at: AccountRef, fact = 'message.changed') => stored(subjects.fact(at, fact), '{');

/** What became of the messages: `2+c` is a page of two facts and a cursor, `!r` a poison with its reason, `x` a broken cursor; `@` the position. */
function outline(units: readonly Unit[]): string[] {
  return units.map(({ page, broken, poison, last }) => {
    const what = [
      ...(page ? [`${page.facts.length}${page.cursor ? '+c' : ''}`] : []),
      ...(broken ? [`x ${broken.account}.${broken.scope}`] : []),
      ...poison.map((each) => `!${each.reason} ${each.message.sequence}`),
    ];
    return `${what.join(' ')} @${last.sequence}`;
  });
}

const collect = (...messages: Stored[]) => outline(createPageCollector().push(messages));

describe('pages', () => {
  it('end with their cursor, and a cursor without facts is a page', () => {
    expect(collect(message(ada, 'p'), message(ada, 'p'), cursor(ada, 'p'), cursor(ada, 'q'))).toEqual([
      '2+c @3',
      '0+c @4',
    ]);
  });

  it('are held back until the cursor is there', () => {
    const collector = createPageCollector();
    expect(collector.push([message(ada, 'p')])).toEqual([]);
    expect(outline(collector.push([cursor(ada, 'p')]))).toEqual(['1+c @2']);
  });

  it('may lack facts that the fold did not ask for: their count is not looked at', () => {
    expect(collect(message(ada, 'p'), cursor(ada, 'p'))).toEqual(['1+c @2']);
  });

  it('come out the same however the messages are cut', () => {
    const build = [
      () => message(ada, 'p'),
      () => cursor(ada, 'p'),
      () => message(bob, 'p'),
      () => garbage(ada),
      () => garbage(bob, 'cursor.inbox'),
      () => accountChanged(bob),
      () => message(ada),
    ];
    const scripts = fc.array(fc.constantFrom(...build), { maxLength: 30 });
    fc.assert(
      fc.property(scripts, fc.array(fc.nat(5)), (script, cuts) => {
        sequence = 0n;
        const log = script.map((make) => make());
        const collector = createPageCollector();
        const units: Unit[] = [];
        let from = 0;
        for (const cut of [...cuts, log.length]) {
          units.push(...collector.push(log.slice(from, from + cut)));
          from += cut;
        }
        expect(outline(units)).toEqual(outline(createPageCollector().push(log)));
        // Nothing is lost or taken twice: what is folded, parked or a cursor is everything up to the position.
        const events = units.reduce((sum, unit) => sum + unit.events, 0);
        expect(BigInt(events)).toBe(units.at(-1)?.last.sequence ?? 0n);
      }),
    );
  });
});

describe('facts that stand alone', () => {
  it('are pages without a cursor', () => {
    expect(collect(accountChanged(ada), accountChanged(bob))).toEqual(['1 @1', '1 @2']);
  });

  it('prove that a page before them was none', () => {
    expect(collect(message(ada, 'p'), accountChanged(ada))).toEqual(['!stray 1 @1', '1 @2']);
  });
});

describe('what is no part of a page', () => {
  it('is set aside: facts without a page, and pages that another event interrupts', () => {
    expect(collect(message(ada), message(ada, 'p'), message(ada, 'q'), cursor(ada, 'q'))).toEqual([
      '!stray 1 @1',
      '!stray 2 @2',
      '1+c @4',
    ]);
    sequence = 0n;
    expect(collect(message(ada, 'p'), message(bob, 'p'), cursor(ada, 'p'))).toEqual([
      '!stray 1 @1',
      '!stray 2 @2',
      '0+c @3',
    ]);
  });

  it('is set aside when no more of its page will come, unless more has come meanwhile', () => {
    const collector = createPageCollector();
    expect(collector.openAt()).toBeNull();
    collector.push([message(ada, 'p')]);
    expect(collector.openAt()).toBe(1n);
    collector.push([message(ada, 'p')]);
    expect(collector.giveUp(1n)).toEqual([]);
    expect(outline(collector.giveUp(2n))).toEqual(['!stray 1 !stray 2 @2']);
    expect(collector.openAt()).toBeNull();
    expect(outline(collector.push([cursor(ada, 'q')]))).toEqual(['0+c @3']);
  });

  it('is set aside when it grows beyond what a batch can hold', () => {
    const units = createPageCollector().push(Array.from({ length: 1_001 }, () => message(ada, 'p')));
    expect(units.map((unit) => [unit.events, unit.poison.length])).toEqual([[1_000, 1_000]]);
  });
});

describe('what cannot be read', () => {
  it('leaves its page to go on without it', () => {
    expect(collect(garbage(ada), message(ada, 'p'), garbage(ada), cursor(ada, 'p'))).toEqual([
      '!not-json 1 @1',
      '1+c !not-json 3 @4',
    ]);
  });

  it('breaks its page when it is the cursor, and no other page', () => {
    expect(collect(message(ada, 'p'), garbage(ada, 'cursor.inbox'))).toEqual(['x ada.inbox !not-json 2 @2']);
    sequence = 0n;
    expect(collect(message(bob, 'p'), garbage(ada, 'cursor.inbox'))).toEqual([
      '!stray 1 @1',
      'x ada.inbox !not-json 2 @2',
    ]);
  });
});

describe('a message is refused', () => {
  const reason = (message: Stored) => collect(message)[0]?.split(' ')[0];
  const data = { op: 'removed', copy, origin: 'live' };
  const type = EVENT_TYPES.messageChanged;
  const subject = subjects.fact(ada, 'message.changed');

  it.each([
    ['not-json', () => stored(subject, 'hello')],
    ['unknown-type', () => stored(subject, event(ada, 'com.example.thing', {}))],
    ['unknown-type', () => stored(subject, [1])],
    ['bad-schema', () => stored(subject, event(ada, type, { ...data, origin: 'nowhere' }))],
    ['wrong-identity', () => stored(subject, event(bob, type, data, 'p'))],
    ['wrong-identity', () => stored(subject, event({ ...ada, tenant: 'other' }, type, data, 'p'))],
    ['wrong-subject', () => stored(subjects.fact(ada, 'mailbox.changed'), event(ada, type, data, 'p'))],
    [
      'bad-subject',
      () => stored(`mail.${partitionOf('ada') === '00' ? '01' : '00'}.acme.ada.message.changed`, '{}'),
    ],
    ['bad-subject', () => stored(`${subject.slice(0, -15)}cursor.${'x'.repeat(65)}`, '{}')],
    ['bad-subject', () => stored(`mail.${partitionOf('a b')}.acme.a b.message.changed`, '{}')],
  ])('as %s', (expected, make) => {
    expect(reason(make())).toBe(`!${expected}`);
  });

  it('when its data says another scope or verb than its subject', () => {
    const event = JSON.parse(Buffer.from(cursor(ada, 'p').data).toString());
    expect(reason(stored(subjects.cursor(ada, 'sent'), event))).toBe('x');
    const paused = JSON.parse(Buffer.from(accountChanged(ada).data).toString());
    expect(reason(stored(subjects.fact(ada, 'account.removed'), paused))).toBe('!wrong-subject');
  });
});
