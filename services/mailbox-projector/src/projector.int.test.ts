import type { Emission, Outbox, Page } from '@mailstream/fold';
import { createLogger } from '@mailstream/runtime';
import { createDatabase, type TestDatabase } from '@mailstream/testing';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEraser } from './eraser.ts';
import {
  account,
  at,
  createLog,
  failed,
  flagged,
  gone,
  listed,
  mailbox,
  mailboxGone,
  seen,
} from './testkit.ts';
import { createTestView, type TestView } from './testkit-view.ts';

const logger = createLogger('test', 'silent');
let database: TestDatabase;
let view: TestView;
let log: ReturnType<typeof createLog>;

beforeAll(async () => {
  database = await createDatabase();
  view = await createTestView(database.url);
});

afterAll(async () => {
  await view.close();
  await database.drop();
});

beforeEach(async () => {
  log = createLog();
  await view.empty();
});

afterEach(async () => {
  expect(await view.faults()).toEqual([]);
});

interface Told {
  readonly changed: string[];
  readonly from?: string[];
  readonly state: { readonly id: string; readonly copies?: { readonly mailbox: string }[] };
}

const told = (emission: Emission) => emission.data as Told;

/** Folds pages in one transaction; what is told of messages, in short. */
async function fold(...pages: Page[]): Promise<string[]> {
  const emissions = await view.fold(...pages);
  return emissions.filter((one) => one.to === 'changes' && one.entity === 'message').map(short);
}

async function foldOther(...pages: Page[]): Promise<string[]> {
  const emissions = await view.fold(...pages);
  return emissions.filter((one) => one.to === 'changes' && one.entity !== 'message').map(short);
}

/** `moved A>B`, `updated A flags,unread`. */
function short(emission: Emission): string {
  if (emission.to !== 'changes') return emission.fact;
  const { changed, from, state } = told(emission);
  const entity = emission.entity === 'message' ? '' : `${emission.entity}.`;
  const where = state.copies ? [...new Set(state.copies.map((copy) => copy.mailbox))].join('+') : state.id;
  const path = from ? `${from.join('+')}>${where}` : where;
  const fields = emission.verb === 'updated' ? changed.join(',') : '';
  return [`${entity}${emission.verb}`, path, fields].filter(Boolean).join(' ');
}

async function count(what: string): Promise<number> {
  const [row] = await view.db.query<{ n: number }>(`select count(*)::int as n from ${what}`);
  return row?.n ?? -1;
}

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
    expect(await count('view.copy where derived')).toBe(1);
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
    expect(await count('view.message')).toBe(1);
    expect(await count('view.thread')).toBe(1);
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
    expect(await count('view.thread')).toBe(2);
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

describe('a mailbox', () => {
  it('is created, renamed, and takes its copies with it', async () => {
    expect(await foldOther(log.page('mailboxes', [mailbox('A')], { run: 'r' }))).toEqual([
      'mailbox.created A',
      'sync.completed',
    ]);
    await fold(log.page('A', [seen(at('A', 1)), seen(at('A', 2))]), log.page('B', [seen(at('B', 1))]));
    expect(await foldOther(log.page('mailboxes', [mailbox('A', { path: 'Z', name: 'Z' })]))).toContain(
      'mailbox.updated A path,name',
    );
    const emissions = (await view.fold(log.page('mailboxes', [mailboxGone('A')]))).map(short);
    expect(emissions).toEqual(expect.arrayContaining(['moved A+B>B', 'deleted A', 'mailbox.deleted A']));
    expect(await count('view.mailbox where listed')).toBe(0);
  });

  it('is read from its beginning when it comes back: what the log says was read is gone', async () => {
    await view.fold(log.page('mailboxes', [mailbox('A')]), log.page('A', [seen(at('A', 1))]));
    const emissions = await view.fold(log.page('mailboxes', [mailboxGone('A')]));
    const [seed] = emissions.flatMap((one) => (one.to === 'mail' ? [one] : []));
    const [cursor] = await view.db.query("select page, cursor, done from view.cursor where scope = 'A'");
    expect(cursor).toMatchObject({ cursor: null, done: false });
    expect(seed).toMatchObject({ fact: 'cursor.A', data: { prev: cursor?.page, cursor: null } });
    expect((await view.fold(log.page('mailboxes', [mailboxGone('B')]))).map(short)).toEqual([]);
  });

  it('is not told of before the provider named it, though it counts', async () => {
    expect(await foldOther(log.page('A', [seen(at('A', 1))], { done: false }))).toEqual([]);
    expect(await view.db.query('select messages, listed from view.mailbox')).toEqual([
      { messages: 1, listed: false },
    ]);
    expect(await foldOther(log.page('mailboxes', [mailbox('A')], { done: false }))).toEqual([
      'mailbox.created A',
    ]);
  });
});

describe('a thread', () => {
  it('joins what mentions the same Message-IDs, also when the link comes last', async () => {
    await fold(log.page('A', [seen(at('A', 1), { messageId: 'root', size: 1 })]));
    await fold(log.page('A', [seen(at('A', 2), { messageId: 'leaf', inReplyTo: 'middle', size: 2 })]));
    expect(await count('view.thread')).toBe(2);
    const link = seen(at('A', 3), { messageId: 'middle', references: ['root'], size: 3 });
    const changes = (await view.fold(log.page('A', [link], { done: false }))).map(short);
    expect(changes).toHaveLength(3);
    expect(changes).toEqual(
      expect.arrayContaining(['created A', 'updated A thread', expect.stringMatching(/^thread\.updated/)]),
    );
    expect(await view.db.query('select messages, unread, subject from view.thread')).toEqual([
      { messages: 3, unread: 3, subject: 'Lunch?' },
    ]);
  });

  it('is the provider’s where there is one, and never the subject’s', async () => {
    const said = [
      seen(at('A', 1), { messageId: 'a', providerThread: 't' }),
      seen(at('A', 2), { messageId: 'b', providerThread: 't' }),
      seen(at('A', 3), { messageId: 'c', references: ['a'] }),
    ];
    await fold(log.page('A', said));
    expect(await view.db.query('select messages from view.thread order by messages')).toEqual([
      { messages: 1 },
      { messages: 2 },
    ]);
  });

  it('finds its new ends when its first or last message goes', async () => {
    const said = [1, 2, 3].map((n) =>
      seen(at('A', n), { messageId: `m${n}`, references: ['r'], receivedAt: `2026-02-0${n}T00:00:00Z` }),
    );
    await fold(log.page('A', said));
    await fold(log.page('A', [gone(at('A', 1)), gone(at('A', 3))]));
    expect(await view.db.query('select first_at, last_at from view.thread')).toEqual([
      { first_at: new Date('2026-02-02'), last_at: new Date('2026-02-02') },
    ]);
  });
});

describe('a run', () => {
  it('counts what it changed and is told of at its end', async () => {
    await view.fold(log.page('A', [seen(at('A', 1))], { run: 'r1', done: false }));
    expect(await foldOther(log.page('A', [], { run: 'r1' }))).toEqual(['sync.completed']);
    expect(await foldOther(log.page('A', [], { run: 'r2' }))).toEqual([]);
    expect(await foldOther(log.page('A', [gone(at('A', 1))], { run: 'r3' }))).toEqual(['sync.completed']);
    expect(await foldOther(log.alone(failed('A', 'r4')))).toEqual(['sync.failed']);
    expect(
      await view.db.query('select run, inserted, updated, deleted, failure from view.run order by version'),
    ).toEqual([
      { run: 'r1', inserted: 1, updated: 0, deleted: 0, failure: null },
      { run: 'r2', inserted: 0, updated: 0, deleted: 0, failure: null },
      { run: 'r3', inserted: 0, updated: 0, deleted: 1, failure: null },
      { run: 'r4', inserted: 0, updated: 0, deleted: 0, failure: 'network' },
    ]);
  });

  it('that failed says how long it took, how often it was tried, and why', async () => {
    const time = Date.parse('2026-03-01T12:00:00.000Z');
    const [emission] = await view.fold(log.alone(failed('A', 'r1'), { time }));
    expect(emission).toMatchObject({ to: 'changes', entity: 'sync', verb: 'failed' });
    expect(emission && told(emission).state).toMatchObject({
      ...{ run: 'r1', scope: 'A', durationMs: 1_500, attempts: 3 },
      ...{ failure: 'network', code: 'imap.lost', message: 'lost' },
    });
    await view.fold(log.page('A', [], { run: 'r2' }));
    expect(await view.db.query('select run, attempts from view.run order by version')).toEqual([
      { run: 'r1', attempts: 3 },
      { run: 'r2', attempts: null },
    ]);
  });

  it('is kept among the last twenty of its scope', async () => {
    const pages = Array.from({ length: 25 }, (_, n) => log.page('A', [], { run: `r${n}` }));
    await view.fold(...pages.slice(0, 22));
    await view.fold(...pages.slice(22));
    expect(await count('view.run')).toBe(20);
    expect(await count("view.run where run in ('r4', 'r5', 'r24')")).toBe(2);
  });
});

describe('an account', () => {
  it('is told of, and ends everything it had with one event', async () => {
    expect(await foldOther(log.alone(account('added')))).toEqual(['account.added acc']);
    await view.fold(log.page('A', [seen(at('A', 1)), seen(at('A', 2)), gone(at('A', 2))]));
    await view.fold(log.page('A', [seen(at('A', 1))], { account: 'other' }));
    expect((await view.fold(log.alone(account('removed')))).map(short)).toEqual(['account.removed acc']);
    expect(await view.db.query("select name, to_erase from view.account where account = 'acc'")).toEqual([
      { name: '', to_erase: true },
    ]);
    const told: string[] = [];
    const outbox: Pick<Outbox, 'add' | 'wake'> = {
      add: async (_tx, emissions) => void told.push(...emissions.map(short)),
      wake: () => undefined,
    };
    const over = new AbortController();
    const erasing = createEraser({ db: view.db, outbox, logger, batch: 1 }).run(over.signal);
    await expect.poll(() => told, { timeout: 20_000 }).toEqual(['account.erased acc']);
    over.abort();
    await erasing;
    for (const table of ['mailbox', 'message', 'copy', 'thread', 'thread_ref', 'cursor', 'run'])
      expect([table, await count(`view.${table} where account = 'acc'`)]).toEqual([table, 0]);
    expect(await count('view.message')).toBe(1);
  });

  it('is told of with the fields that changed, within a batch and between two', async () => {
    await view.fold(log.alone(account('added', { state: 'connecting' })));
    const both = [account('updated'), account('updated', { state: 'degraded', reason: 'lost' })];
    const emissions = await view.fold(...both.map((one) => log.alone(one)));
    expect(emissions.map(short)).toEqual(['account.updated acc state', 'account.updated acc state,reason']);
  });

  it('stays removed when a fetch that was under way lands after it', async () => {
    await view.fold(log.alone(account('added')), log.alone(account('removed')));
    expect(await view.fold(log.page('A', [seen(at('A', 1))]))).toEqual([]);
    expect(await count('view.message')).toBe(0);
  });
});
