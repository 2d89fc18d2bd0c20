/** What there is beside messages, and what is told of it: mailboxes, threads, runs, accounts. */
import type { Outbox, Page } from '@mailstream/fold';
import { createLogger } from '@mailstream/runtime';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createEraser } from './eraser.ts';
import { account, at, createLog, failed, gone, mailbox, mailboxGone, seen } from './testkit.ts';
import { short, shortOfOthers, told } from './testkit-told.ts';
import { createTestView, type TestView } from './testkit-view.ts';

const logger = createLogger('test', 'silent');
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

/** Folds pages in one transaction; what is told beside messages, in short. */
const foldOther = async (...pages: Page[]) => shortOfOthers(await view.fold(...pages));

describe('a mailbox', () => {
  it('is created, renamed, and takes its copies with it', async () => {
    expect(await foldOther(log.page('mailboxes', [mailbox('A')], { run: 'r' }))).toEqual([
      'mailbox.created A',
      'sync.completed',
    ]);
    await view.fold(log.page('A', [seen(at('A', 1)), seen(at('A', 2))]), log.page('B', [seen(at('B', 1))]));
    expect(await foldOther(log.page('mailboxes', [mailbox('A', { path: 'Z', name: 'Z' })]))).toContain(
      'mailbox.updated A path,name',
    );
    const emissions = (await view.fold(log.page('mailboxes', [mailboxGone('A')]))).map(short);
    expect(emissions).toEqual(expect.arrayContaining(['moved A+B>B', 'deleted A', 'mailbox.deleted A']));
    expect(await view.count('view.mailbox where listed')).toBe(0);
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
    await view.fold(log.page('A', [seen(at('A', 1), { messageId: 'root', size: 1 })]));
    await view.fold(log.page('A', [seen(at('A', 2), { messageId: 'leaf', inReplyTo: 'middle', size: 2 })]));
    expect(await view.count('view.thread')).toBe(2);
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
    await view.fold(log.page('A', said));
    expect(await view.db.query('select messages from view.thread order by messages')).toEqual([
      { messages: 1 },
      { messages: 2 },
    ]);
  });

  it('finds its new ends when its first or last message goes', async () => {
    const said = [1, 2, 3].map((n) =>
      seen(at('A', n), { messageId: `m${n}`, references: ['r'], receivedAt: `2026-02-0${n}T00:00:00Z` }),
    );
    await view.fold(log.page('A', said));
    await view.fold(log.page('A', [gone(at('A', 1)), gone(at('A', 3))]));
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
    expect(await view.count('view.run')).toBe(20);
    expect(await view.count("view.run where run in ('r4', 'r5', 'r24')")).toBe(2);
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
    const erased: string[] = [];
    const outbox: Pick<Outbox, 'add' | 'wake'> = {
      add: async (_tx, emissions) => void erased.push(...emissions.map(short)),
      wake: () => undefined,
    };
    const over = new AbortController();
    const erasing = createEraser({ db: view.db, outbox, logger, batch: 1 }).run(over.signal);
    await expect.poll(() => erased, { timeout: 20_000 }).toEqual(['account.erased acc']);
    over.abort();
    await erasing;
    for (const table of ['mailbox', 'message', 'copy', 'thread', 'thread_ref', 'cursor', 'run'])
      expect([table, await view.count(`view.${table} where account = 'acc'`)]).toEqual([table, 0]);
    expect(await view.count('view.message')).toBe(1);
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
    expect(await view.count('view.message')).toBe(0);
  });
});
