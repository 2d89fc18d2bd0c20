/** What the provider holds, what the view has and what a subscriber folded into his own database are the same, whatever dies and whatever comes twice. */
import type { AddressInfo } from 'node:net';
import { type Bus, connectBus } from '@mailstream/bus';
import { connectMailstream, type Mailstream, type Projection } from '@mailstream/client';
import { type AccountRef, type MessageView, subjects, uuidv7 } from '@mailstream/contracts';
import type { Db, Tenants } from '@mailstream/db';
import { createFold, refold } from '@mailstream/fold';
import { createHttpServer, createLogger, type HttpServer } from '@mailstream/runtime';
import {
  authenticate,
  createDatabase,
  createNats,
  importSize,
  scheduleCount,
  tokenOf,
} from '@mailstream/testing';
import pg from 'pg';
import { expect, it, vi } from 'vitest';
import { readMessages } from './projections/messages/read.ts';
import { projector } from './projector.ts';
import { registerSnapshotRoutes } from './routes/snapshot.ts';
import { account, at, seen } from './testkit.ts';
import { COPIED_TYPES, COPY_TABLES, CREATE_COPY, copy } from './testkit-copy.ts';
import { createLife, type Life, mortalBus, mortalDb, mortalPool } from './testkit-kill.ts';
import { copyLine, createTestProvider, type Fetched, pageMessages } from './testkit-provider.ts';
import { essence } from './testkit-subscriber.ts';
import { createTestView, type TestView } from './testkit-view.ts';

const logger = createLogger('test', 'silent');
const TENANT = 'default';
const TOKEN = await tokenOf();

interface World {
  readonly bus: Bus;
  readonly view: TestView;
  readonly pool: pg.Pool;
  readonly mailstream: Mailstream;
  close(): Promise<void>;
}

async function createWorld(): Promise<World> {
  const [nats, view, copies] = await Promise.all([createNats(), createTestView(), createDatabase()]);
  const bus = await connectBus({ url: nats.url, name: 'test' });
  await bus.ensureTopology();
  const over = new AbortController();
  const lending = bus.lendReaders(over.signal);
  const api = await serve(bus, view.tenants);
  const { port } = api.server.address() as AddressInfo;
  const mailstream = await connectMailstream({
    natsUrl: nats.url,
    api: { url: `http://127.0.0.1:${port}`, token: TOKEN },
  });
  const pool = new pg.Pool({ connectionString: copies.url });
  await pool.query(CREATE_COPY);
  return {
    bus,
    view,
    pool,
    mailstream,
    async close() {
      await mailstream.close();
      over.abort();
      await lending;
      await api.close();
      await bus.close();
      await pool.end();
      await Promise.all([nats.drop(), view.drop(), copies.drop()]);
    },
  };
}

async function serve(bus: Bus, tenants: Tenants): Promise<HttpServer> {
  const app = await createHttpServer({ title: 'test', logger, authenticate, ready: () => true });
  registerSnapshotRoutes(app, { bus, tenants });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return app;
}

/** A process that is started again whenever it dies, as often as it takes. */
interface Process {
  /** The one that runs now. */
  life(): Life;
  kill(): void;
  stop(): Promise<void>;
}

function keepAlive(run: (life: Life, signal: AbortSignal) => Promise<void>): Process {
  const over = new AbortController();
  const runs: Promise<void>[] = [];
  let life = createLife();
  const start = () => {
    life = createLife();
    life.signal.addEventListener('abort', () => over.signal.aborted || start(), { once: true });
    runs.push(run(life, AbortSignal.any([life.signal, over.signal])));
  };
  start();
  return {
    life: () => life,
    kill: () => life.end(),
    async stop() {
      over.abort();
      await Promise.all(runs);
    },
  };
}

const runProjector = ({ bus, view }: World) =>
  keepAlive((life, signal) => {
    const parts = { bus: mortalBus(bus, life), db: mortalDb(view.db, life) };
    return createFold({ ...parts, logger, definition: projector, leases: 'ignored' }).run(signal);
  });

function createCopy({ mailstream, pool }: World, life: Life): Projection {
  return mailstream.project({
    pool: mortalPool(pool, life),
    ...{ name: 'copy', tables: COPY_TABLES, tenant: TENANT, types: COPIED_TYPES },
    apply: copy,
    onError: () => undefined,
  });
}

const runSubscriber = (world: World) => keepAlive((life, signal) => createCopy(world, life).run(signal));

async function publish(bus: Bus, { messages, fence }: Fetched, fenced: boolean): Promise<void> {
  const sequence = fenced ? fence.sequence : ((await bus.last('MAIL', fence.subject))?.sequence ?? 0n);
  await bus.publishBatch(messages, { ...fence, sequence });
}

/** The view's copies as the provider would say them. */
async function viewLines(db: Db, of: string): Promise<string[]> {
  const rows = await db.query<{ mailbox: string; id: string; message_id: string; flags: string[] }>(
    `select c.mailbox, c.id, m.content->>'messageId' as message_id, c.flags
     from view.copy c join view.message m on m.id = c.message where c.account = $1`,
    [of],
  );
  return rows.map((row) => copyLine(row.mailbox, row.id, row.message_id, row.flags));
}

async function expectSameCopies({ view, pool }: World, accounts: readonly string[]): Promise<void> {
  const ids = await view.db.query<{ id: string }>(
    'select id from view.message where account = any($1) and deleted_at is null',
    [accounts],
  );
  const views = await readMessages(
    view.db,
    ids.map(({ id }) => id),
  );
  const { rows } = await pool.query<{ state: MessageView }>(
    'SELECT state FROM copied WHERE account = ANY($1)',
    [accounts],
  );
  const byId = (states: readonly MessageView[]) => new Map(states.map((state) => [state.id, essence(state)]));
  expect(byId(rows.map(({ state }) => state))).toEqual(byId(views.map((one) => one.view)));
  expect((await pool.query('SELECT what FROM misfit')).rows).toEqual([]);
}

async function addAccount(bus: Bus): Promise<AccountRef> {
  const ref = { tenant: TENANT, account: uuidv7() };
  const { type, data } = account('added');
  const event = {
    specversion: '1.0',
    datacontenttype: 'application/json',
    id: uuidv7(),
    source: '/test',
    type,
  };
  await bus.publish({
    subject: subjects.fact(ref, 'account.added'),
    data: { ...event, time: new Date().toISOString(), ...ref, data },
  });
  return ref;
}

/** Mulberry32: the same seed, the same schedule. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Plays the schedule of a seed on an account of its own, and waits until all three are the same. */
async function play(
  world: World,
  [fold, subscriber]: readonly [Process, Process],
  seed: number,
): Promise<number> {
  const { bus, view } = world;
  const random = createRandom(seed);
  const provider = createTestProvider(await addAccount(bus));
  const held: Fetched[] = [];
  const sent: Fetched[] = [];
  const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)];
  let kills = 0;
  for (let step = 0; step < 12; step += 1) {
    for (let n = random() * 6; n > 0; n -= 1) provider.change(random);
    const scope = pick(provider.scopes) ?? '';
    const what = random();
    if (what < 0.45) {
      const fetched = await provider.fetch(bus, scope);
      if (!fetched) continue;
      await publish(bus, fetched, true);
      sent.push(fetched);
    } else if (what < 0.55) {
      // The fetcher stalls, or dies before it published.
      const fetched = await provider.fetch(bus, scope);
      if (fetched) held.push(fetched);
    } else if (what < 0.68) {
      const late = pick([...held, ...sent]);
      if (late) await publish(bus, late, false);
    } else if (what < 0.94) {
      const victim = what < 0.82 ? fold : subscriber;
      victim.life().endAfter(Math.floor(random() ** 2 * 120));
      kills += 1;
    } else if (what < 0.97) {
      fold.kill();
      await refold(view.owner, projector.name, async (tx) => void (await tx.query(view.truncate)));
    } else {
      subscriber.kill();
      await createCopy(world, createLife()).rebuild();
    }
  }
  for (const { life } of [fold, subscriber]) life().endAfter(Number.POSITIVE_INFINITY);
  await vi.waitFor(
    async () => {
      for (const scope of provider.scopes) {
        const fetched = await provider.fetch(bus, scope);
        if (fetched) await publish(bus, fetched, true);
      }
      expect((await viewLines(view.db, provider.at.account)).sort()).toEqual(provider.truth().sort());
      await expectSameCopies(world, [provider.at.account]);
    },
    { timeout: 60_000, interval: 25 },
  );
  return kills;
}

/** Schedules on one set of servers: a rebuild folds what the schedules before it left. */
const AT_A_TIME = 40;

it('all three are the same after every schedule of deaths, late and repeated pages, and replays', async () => {
  const seeds = Array.from({ length: scheduleCount() }, (_, n) => n + 1);
  let kills = 0;
  for (let from = 0; from < seeds.length; from += AT_A_TIME) {
    const world = await createWorld();
    const processes = [runProjector(world), runSubscriber(world)] as const;
    try {
      for (const seed of seeds.slice(from, from + AT_A_TIME))
        kills += await play(world, processes, seed).catch((cause: unknown) => {
          throw new Error(`schedule ${seed} does not end well`, { cause });
        });
      expect(await world.view.faults()).toEqual([]);
    } finally {
      for (const one of processes) await one.stop();
      await world.close();
    }
  }
  expect(kills).toBeGreaterThan(0);
}, 3_600_000);

it('a subscriber that joins in the middle of an import has the same as the view when it ends', async () => {
  const PAGE = 500;
  const count = importSize();
  const world = await createWorld();
  const fold = runProjector(world);
  let subscriber: Process | null = null;
  try {
    const { bus, view } = world;
    const ref = await addAccount(bus);
    let [prev, sequence]: [string | null, bigint] = [null, 0n];
    for (let first = 1; first <= count; first += PAGE) {
      const said = Array.from({ length: Math.min(PAGE, count + 1 - first) }, (_, n) =>
        seen(at('A', first + n), { messageId: `m${first + n}`, subject: `Mail ${first + n}` }),
      );
      const page = uuidv7();
      const messages = pageMessages(ref, { scope: 'A', page, prev, cursor: first, said });
      const stored = await bus.publishBatch(messages, { subject: subjects.cursor(ref, 'A'), sequence });
      [prev, sequence] = [page, stored.outcome === 'committed' ? stored.sequence : 0n];
      // The other half comes while the snapshot is read, or after it.
      if (!subscriber && first >= count / 2) {
        await vi.waitFor(async () => expect(await imported(view.db, ref)).toBeGreaterThan(0), 60_000);
        subscriber = runSubscriber(world);
        await vi.waitFor(async () => {
          const { rows } = await world.pool.query('SELECT FROM mailstream_snapshot');
          expect(rows).not.toEqual([]);
        }, 60_000);
      }
    }
    await vi.waitFor(async () => expect(await imported(view.db, ref)).toBe(count), 600_000);
    await vi.waitFor(
      async () => {
        const { rows } = await world.pool.query('SELECT count(*)::int AS n FROM copied');
        expect(rows).toEqual([{ n: count }]);
      },
      { timeout: 600_000, interval: 200 },
    );
    await expectSameCopies(world, [ref.account]);
    const { rows } = await world.pool.query(
      'SELECT min(version) < (SELECT max(version) FROM copied) AS early FROM mailstream_snapshot',
    );
    expect(rows).toEqual([{ early: true }]);
  } finally {
    await subscriber?.stop();
    await fold.stop();
    await world.close();
  }
}, 1_800_000);

async function imported(db: Db, { account: of }: AccountRef): Promise<number> {
  const [row] = await db.query<{ n: number }>(
    'select count(*)::int as n from view.message where account = $1',
    [of],
  );
  return row?.n ?? 0;
}
