import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type AccountRef, subjects } from '@mailstream/contracts';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFold, type Fold } from './create-fold.ts';
import { readPositions } from './positions.ts';
import { refold } from './refold.ts';
import { createWorld, readChanges, silent, start, type World } from './testkit.ts';
import { createKeeper, readCopies } from './testkit-keeper.ts';
import { newAccount, publishPage } from './testkit-pages.ts';

// Processes are killed and started here: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 90_000 });

let world: World;

beforeAll(async () => {
  world = await createWorld();
});

afterAll(async () => {
  await world.close();
});

/** Accounts that write: each page overwrites what the page before wrote, so order and completeness show. */
interface Writer {
  readonly at: AccountRef;
  page: string | null;
  pages: number;
}

let writers: Writer[];
let facts = 0;
let stop = async () => {};

beforeEach(() => {
  writers = Array.from({ length: 8 }, () => ({ at: newAccount(), page: null, pages: 0 }));
});

const COPIES = 5;

async function write(pages: number): Promise<void> {
  for (let i = 0; i < pages; i++) {
    await Promise.all(
      writers.map(async (writer) => {
        writer.pages += 1;
        const seen = Array.from({ length: COPIES }, (_, uid) => [uid + 1, `v${writer.pages}`] as const);
        const draft = { at: writer.at, scope: 'inbox', prev: writer.page, cursor: writer.pages, seen };
        writer.page = await publishPage(world.bus, draft);
        facts += COPIES;
      }),
    );
  }
}

const expected = () =>
  writers
    .flatMap(({ at, pages }) =>
      Array.from({ length: COPIES }, (_, i) => `${at.account} inbox ${i + 1} v${pages}`),
    )
    .sort();

const ours = async () => {
  const accounts = new Set(writers.map((writer) => writer.at.account));
  return (await readCopies(world.db)).filter((line) => accounts.has(line.split(' ')[0] ?? '')).sort();
};

/** Every fact was announced once, under an id of its own, and those of an account in the order of the log. */
async function expectEachAnnouncedOnce(): Promise<void> {
  const events = await vi.waitFor(async () => {
    const found = await readChanges(world.bus);
    expect(found.length).toBeGreaterThanOrEqual(facts);
    return found;
  }, 40_000);
  expect(events).toHaveLength(facts);
  expect(new Set(events.map((event) => event.id)).size).toBe(facts);
  const versions = events.map(
    (event) => [event.account, Number(Reflect.get(Object(event.data), 'version'))] as const,
  );
  expect(new Set(versions.map(([, version]) => version)).size).toBe(facts);
  for (const [account, own] of Map.groupBy(versions, ([name]) => name))
    expect(own, account).toEqual(own.toSorted(([, a], [, b]) => a - b));
}

function run(...folds: Fold[]): void {
  stop = start(...folds);
}

afterEach(async () => {
  await stop();
});

const keeper = (options: { leases?: 'ignored'; definition?: ReturnType<typeof createKeeper> } = {}) =>
  createFold({ ...world, logger: silent, definition: createKeeper(), ...options });

describe('kill -9', () => {
  const child = fileURLToPath(new URL('./testkit-crash-child.ts', import.meta.url));

  it.each([
    ['before the commit', 'folded'],
    ['after the commit, before anything is published', 'committed'],
    ['after a batch is published, before its rows are deleted', 'published'],
  ])('%s, again and again, loses and doubles nothing', async (_, seam) => {
    await write(4);
    for (const hit of [1, 3, 5]) {
      const args = [child, world.nats.url, world.database.url, seam, String(hit)];
      const process_ = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
      const exited = once(process_, 'exit');
      await write(4);
      const [, signal] = await exited;
      expect(signal).toBe('SIGKILL');
    }
    run(keeper());
    await vi.waitFor(async () => expect(await ours()).toEqual(expected()), 40_000);
    await expectEachAnnouncedOnce();
  });
});

describe('two replicas on one partition', () => {
  it('share nothing but the database, and still fold each page once', async () => {
    const first = keeper({ leases: 'ignored' });
    const second = keeper({ leases: 'ignored' });
    run(first, second);
    await write(40);
    await vi.waitFor(async () => expect(await ours()).toEqual(expected()), 40_000);
    await expectEachAnnouncedOnce();
    await stop();
    expect(first.stats().reopened + second.stats().reopened).toBeGreaterThan(0);
  });

  it('that honour leases do not get into each other’s way', async () => {
    const first = keeper();
    const second = keeper();
    run(first, second);
    await write(20);
    await vi.waitFor(async () => expect(await ours()).toEqual(expected()), 40_000);
    await expectEachAnnouncedOnce();
    await stop();
    expect(first.stats().reopened + second.stats().reopened).toBe(0);
  });
});

describe('folding again', () => {
  it('gives the same tables in silence, and what comes after is announced', async () => {
    run(keeper());
    await write(5);
    await vi.waitFor(async () => expect(await ours()).toEqual(expected()), 40_000);
    await expectEachAnnouncedOnce();
    const before = await readCopies(world.db);
    await refold(world.db, 'keeper', async (tx) => void (await tx.query('TRUNCATE copy, cursor')));
    await vi.waitFor(async () => expect(await readCopies(world.db)).toEqual(before), 40_000);
    await write(3);
    await vi.waitFor(async () => expect(await ours()).toEqual(expected()), 40_000);
    await expectEachAnnouncedOnce();
  });

  it('in a new database is silent up to what was announced', async () => {
    const before = await readCopies(world.db);
    await world.db.query('TRUNCATE fold.checkpoint, fold.chain, fold.outbox, copy, cursor');
    run(keeper());
    await vi.waitFor(async () => expect(await readCopies(world.db)).toEqual(before), 40_000);
    await write(2);
    await vi.waitFor(async () => expect(await ours()).toEqual(expected()), 40_000);
    await expectEachAnnouncedOnce();
  });
});

it('says how far it is', async () => {
  await write(1);
  const fold = keeper();
  const behind = await fold.lag();
  expect(behind.reduce((sum, each) => sum + each.lag, 0)).toBeGreaterThan(0);
  // A fact that it does not want is nothing it is behind with.
  const unwanted = { subject: subjects.fact(newAccount(), 'import.started'), data: {} };
  const last = await world.bus.publish(unwanted);
  run(fold);
  await vi.waitFor(async () => {
    const lags = await fold.lag();
    expect(lags.map((each) => each.partition)).toEqual(Array.from({ length: 16 }, (_, i) => i));
    expect(lags.filter((each) => each.lag > 0)).toEqual([]);
  }, 40_000);
  await vi.waitFor(async () => {
    const positions = await readPositions(world.db, 'keeper');
    expect(positions.map((each) => each.position)).toContain(last);
  }, 40_000);
});
