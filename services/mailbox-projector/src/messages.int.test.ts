/** Which copies are one message, and what is told of it: as it comes and goes, moves, looks like another, has a key, or is missing from a list. */
import type { Page } from '@mailstream/fold';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { at, createLog, flagged, gone, listed, mailbox, seen } from './testkit.ts';
import { short, shortOfMessages, told } from './testkit-told.ts';
import { createTestView, type TestView } from './testkit-view.ts';

let view: TestView;
let log: ReturnType<typeof createLog>;

beforeAll(async () => {
  view = await createTestView();
});

afterAll(() => view?.drop());

beforeEach(async () => {
  log = createLog();
  await view.empty();
});

afterEach(async () => {
  expect(await view.faults()).toEqual([]);
});

/** Folds pages in one transaction; what is told of messages, in short. */
const fold = async (...pages: Page[]) => shortOfMessages(await view.fold(...pages));

describe('a message', () => {
  it('is created by its first copy, updated by its flags, deleted with its last copy', async () => {
    expect(await fold(log.page('A', [seen(at('A', 1))]))).toEqual(['created A']);
    expect(await fold(log.page('A', [flagged(at('A', 1), ['seen'])]))).toEqual([
      'updated A flags,unread,copies',
    ]);
    expect(await fold(log.page('A', [gone(at('A', 1))]))).toEqual(['deleted A']);
  });

  it('is not told of when nothing changed', async () => {
    await fold(log.page('A', [seen(at('A', 1))]));
    const before = await view.rows();
    expect(await fold(log.page('A', [seen(at('A', 1)), flagged(at('A', 1), [])], { run: 'run-0' }))).toEqual(
      [],
    );
    const { message, copy, thread } = await view.rows();
    expect({ message, copy, thread }).toEqual({
      message: before.message,
      copy: before.copy,
      thread: before.thread,
    });
    expect(await fold(log.page('A', [gone(at('A', 9)), flagged(at('A', 9), ['seen'])]))).toEqual([]);
  });

  it('names the fields of its content that changed', async () => {
    await fold(log.page('A', [seen(at('A', 1))]));
    expect(await fold(log.page('A', [seen(at('A', 1), { snippet: 'at one', subject: 'Dinner?' })]))).toEqual([
      'updated A subject,snippet',
    ]);
  });

  it('has the flags of all its copies, and is unread while one of them is', async () => {
    await fold(log.page('A', [seen(at('A', 1), {}, { flags: ['seen'] })]));
    const [change] = (await view.fold(log.page('B', [seen(at('B', 1), {}, { flags: ['flagged'] })]))).map(
      told,
    );
    expect(change?.state).toMatchObject({ flags: ['flagged', 'seen'], unread: true });
  });

  it('tells only of the difference a batch made', async () => {
    const changes = [seen(at('A', 1)), flagged(at('A', 1), ['flagged']), flagged(at('A', 1), ['seen'])];
    expect(await fold(log.page('A', changes))).toEqual(['created A']);
    expect(await fold(log.page('A', [flagged(at('A', 1), []), flagged(at('A', 1), ['seen'])]))).toEqual([]);
    expect(await fold(log.page('A', [flagged(at('A', 1), []), gone(at('A', 1))]))).toEqual(['deleted A']);
  });

  it('that came and went is told of, because it may turn up elsewhere', async () => {
    expect(await fold(log.page('A', [seen(at('A', 1)), gone(at('A', 1))]))).toEqual([
      'created A',
      'deleted A',
    ]);
    expect(await fold(log.page('B', [seen(at('B', 1))]))).toEqual(['moved A>B']);
  });
});

describe('a move', () => {
  beforeEach(async () => {
    await fold(log.page('A', [seen(at('A', 1))]));
  });

  it('seen as an arrival, then a removal, is two moves', async () => {
    expect(await fold(log.page('B', [seen(at('B', 7))]))).toEqual(['moved A>A+B']);
    expect(await fold(log.page('A', [gone(at('A', 1))]))).toEqual(['moved A+B>B']);
    expect(await view.count('view.copy where derived')).toBe(1);
  });

  it('seen as a removal, then an arrival, is a deletion that turns out to be a move', async () => {
    const [deleted] = await view.fold(log.page('A', [gone(at('A', 1))]));
    const [moved] = await view.fold(log.page('B', [seen(at('B', 7))]));
    expect([deleted, moved].map((one) => one && short(one))).toEqual(['deleted A', 'moved A>B']);
    expect(moved && told(moved).state.id).toBe(deleted && told(deleted).state.id);
  });

  it('seen in one batch is one move, in either order', async () => {
    expect(await fold(log.page('A', [gone(at('A', 1))]), log.page('B', [seen(at('B', 7))]))).toEqual([
      'moved A>B',
    ]);
    expect(await fold(log.page('C', [seen(at('C', 7))]), log.page('B', [gone(at('B', 7))]))).toEqual([
      'moved B>C',
    ]);
  });

  it('is not assumed once the message has been gone for an hour', async () => {
    const time = Date.parse('2026-03-02T00:00:00Z');
    await fold(log.page('A', [gone(at('A', 1))], { time }));
    expect(await fold(log.page('B', [seen(at('B', 7))], { time: time + 3_600_001 }))).toEqual(['created B']);
    expect(await view.count('view.message')).toBe(1);
    expect(await view.count('view.thread')).toBe(1);
  });

  it('is not assumed of a message that differs in anything', async () => {
    await fold(log.page('A', [gone(at('A', 1))]));
    const other = [{ size: 1 }, { subject: 'x' }, { receivedAt: '2026-02-28T10:00:02Z' }, { from: [] }];
    for (const [n, change] of other.entries())
      expect(await fold(log.page('B', [seen(at('B', n + 1), change)]))).toEqual(['created B']);
    expect(await fold(log.page('B', [seen(at('B', 99), { messageId: null })]))).toEqual(['created B']);
  });
});

describe('messages that look the same', () => {
  it('stay two in one mailbox, in one batch or in two', async () => {
    expect(await fold(log.page('A', [seen(at('A', 1)), seen(at('A', 2))]))).toEqual([
      'created A',
      'created A',
    ]);
    expect(await fold(log.page('A', [seen(at('A', 3))]))).toEqual(['created A']);
    expect(await fold(log.page('B', [seen(at('B', 1)), seen(at('B', 2)), seen(at('B', 3))]))).toEqual([
      'moved A>A+B',
      'moved A>A+B',
      'moved A>A+B',
    ]);
  });

  it('are never taken for each other when there are too many', async () => {
    await fold(
      log.page(
        'A',
        Array.from({ length: 17 }, (_, n) => seen(at('A', n + 1))),
      ),
    );
    expect(await fold(log.page('B', [seen(at('B', 1))]))).toEqual(['created B']);
  });

  it('are apart in different accounts', async () => {
    await fold(log.page('A', [seen(at('A', 1))]));
    expect(await fold(log.page('B', [seen(at('B', 1))], { account: 'other' }))).toEqual(['created B']);
    expect(await view.count('view.thread')).toBe(2);
  });
});

describe('a key of the message', () => {
  const keyed = { key: 'm1', keyKind: 'message' } as const;

  it('joins copies, whatever they look like', async () => {
    expect(await fold(log.page('A', [seen(at('A', 1), {}, keyed)]))).toEqual(['created A']);
    expect(await fold(log.page('B', [seen(at('B', 1), {}, keyed)]))).toEqual(['moved A>A+B']);
    expect(await fold(log.page('B', [seen(at('B', 2), {}, { ...keyed, key: 'M1' })]))).toEqual(['created B']);
  });

  it('survives a deletion for an hour, and then names another message', async () => {
    const time = Date.parse('2026-03-02T00:00:00Z');
    await fold(log.page('A', [seen(at('A', 1), {}, keyed)]));
    await fold(log.page('A', [gone(at('A', 1))], { time }));
    expect(
      await fold(log.page('B', [seen(at('B', 1), {}, keyed), gone(at('B', 1))], { time: time + 1 })),
    ).toEqual([]);
    expect(await fold(log.page('B', [seen(at('B', 1), {}, keyed)], { time: time + 3_600_002 }))).toEqual([
      'created B',
    ]);
  });

  it('is taken up by a message that had none, and moves a place between messages', async () => {
    await fold(log.page('A', [seen(at('A', 1))]));
    expect(await fold(log.page('A', [seen(at('A', 1), {}, keyed)]))).toEqual([]);
    expect(await fold(log.page('A', [seen(at('A', 1), {}, { ...keyed, key: 'm2' })]))).toEqual([
      'deleted A',
      'created A',
    ]);
  });
});

describe('a list of what a mailbox has', () => {
  beforeEach(async () => {
    const said = Array.from({ length: 5 }, (_, n) => seen(at('A', n + 1), { messageId: `m${n}` }));
    await view.fold(log.page('mailboxes', [mailbox('A')]), log.page('A', said));
  });

  it('removes what is not in it and sets flags, within its window', async () => {
    const present = [
      { uids: '1', flags: null },
      { uids: '3', flags: ['seen'] },
    ];
    expect((await fold(log.page('A', [listed('A', present, { to: 5 })]))).sort()).toEqual([
      'deleted A',
      'deleted A',
      'updated A flags,unread,copies',
    ]);
    expect(await fold(log.page('A', [listed('A', present, { to: 5 })]))).toEqual([]);
  });

  it('knows what the same batch brought before it', async () => {
    const said = [
      seen(at('A', 6), { messageId: 'm6' }),
      flagged(at('A', 1), ['seen']),
      listed('A', [{ uids: '1:5', flags: [] }]),
    ];
    expect(await fold(log.page('A', said))).toEqual(['created A', 'deleted A']);
  });

  it('counts what the view should have and does not', async () => {
    const all = [{ uids: '1:5,8:9,4000000000', flags: null }];
    await fold(log.page('A', [listed('A', all, { to: 4_294_967_295 })]));
    expect(await view.db.query('select drift from view.mailbox')).toEqual([{ drift: 3 }]);
    const missing = [8, 9, 4_000_000_000].map((uid) => seen(at('A', uid), { messageId: `m${uid}` }));
    await fold(log.page('A', [listed('A', all, { to: 4_294_967_295 }), ...missing]));
    expect(await view.db.query('select drift from view.mailbox')).toEqual([{ drift: 0 }]);
  });

  it('ends the older generations when it sweeps, without a word when nothing else changed', async () => {
    const said = Array.from({ length: 5 }, (_, n) => seen(at('A', n + 1, '2'), { messageId: `m${n}` }));
    const ids = await view.db.query('select id from view.message order by id');
    expect(await fold(log.page('A', said))).toEqual([]);
    const sweep = listed('A', [{ uids: '1:5', flags: [] }], { generation: '2', sweep: true });
    expect(await fold(log.page('A', [sweep]))).toEqual([]);
    expect(await view.db.query('select id from view.message order by id')).toEqual(ids);
    expect(await view.db.query('select distinct generation from view.copy')).toEqual([{ generation: '2' }]);
  });
});
