import { createDb, type Db, migrate } from '@mailstream/db';
import type { Emission, Page } from '@mailstream/fold';
import { createLogger } from '@mailstream/runtime';
import { createDatabase, type TestDatabase } from '@mailstream/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { projector } from './projector.ts';
import { at, createLog, flagged, gone, seen } from './testkit.ts';

const logger = createLogger('test', 'silent');
let database: TestDatabase;
let db: Db;
let log: ReturnType<typeof createLog>;

beforeAll(async () => {
  database = await createDatabase();
  await migrate(database.url, { schema: 'view', dir: `${import.meta.dirname}/../migrations`, logger });
  db = createDb({ url: database.url, max: 2, applicationName: 'test', logger });
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

beforeEach(async () => {
  log = createLog();
  await db.query(
    'truncate view.account, view.mailbox, view.message, view.copy, view.thread, view.thread_ref, view.cursor, view.run',
  );
});

/** Folds pages in one transaction; what was said about messages and threads, in short. */
async function fold(...pages: Page[]): Promise<string[]> {
  const { emissions } = await db.tx((tx) => projector.apply(tx, pages));
  return emissions.map(short);
}

function short(emission: Emission): string {
  if (emission.to !== 'changes') return emission.fact;
  const data = emission.data as {
    changed: string[];
    from?: string[];
    state: { copies?: { mailbox: string }[] };
  };
  const where = data.state.copies?.map((copy) => copy.mailbox).join('+') ?? '';
  const from = data.from ? ` from ${data.from.join('+')}` : '';
  return `${emission.entity}.${emission.verb} ${where}${from} [${data.changed.join(',')}]`.replace('  ', ' ');
}

const messages = (changes: readonly string[]) => changes.filter((change) => change.startsWith('message'));

describe('a message', () => {
  it('is created by its first copy, updated by its flags, deleted with its last copy', async () => {
    expect(messages(await fold(log.page('A', [seen(at('A', 1))])))).toEqual(['message.created A []']);
    expect(messages(await fold(log.page('A', [seen(at('A', 1))])))).toEqual([]);
    expect(messages(await fold(log.page('A', [flagged(at('A', 1), ['seen'])])))).toEqual([
      'message.updated A [flags,unread,copies]',
    ]);
    expect(messages(await fold(log.page('A', [gone(at('A', 1))])))).toEqual(['message.deleted A []']);
    expect(messages(await fold(log.page('A', [gone(at('A', 1))])))).toEqual([]);
  });
});
