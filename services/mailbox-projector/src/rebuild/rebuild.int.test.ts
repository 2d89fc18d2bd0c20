/** The view is built anew from the log while it is in use, by processes that die, and nobody notices but for what was wrong. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text as readText } from 'node:stream/consumers';
import { type Bus, connectBus, type Stored } from '@mailstream/bus';
import { type AccountRef, envelope, subjects, uuidv7 } from '@mailstream/contracts';
import type { Tx } from '@mailstream/db';
import { createFold, readRebuild } from '@mailstream/fold';
import { createLogger } from '@mailstream/runtime';
import { createNats, type TestNats } from '@mailstream/testing';
import { afterAll, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { readMessages } from '../projections/messages/read.ts';
import { projector } from '../projector.ts';
import { findAccounts } from '../routes/find-account.ts';
import { readVersions } from '../snapshot.ts';
import { account, TENANT } from '../testkit.ts';
import { createLife, mortalBus } from '../testkit-kill.ts';
import { createTestProvider, type TestProvider } from '../testkit-provider.ts';
import { createSubscriber } from '../testkit-subscriber.ts';
import { createTestView, type TestView } from '../testkit-view.ts';
import { dropRebuild, type RebuildOptions, rebuildView } from './rebuild.ts';

const logger = createLogger('test', 'silent');
const over = new AbortController();
const folding: Promise<void>[] = [];
let nats: TestNats;
let bus: Bus;
let view: TestView;
let providers: TestProvider[];

beforeAll(async () => {
  [nats, view] = await Promise.all([createNats(), createTestView()]);
  bus = await connectBus({ url: nats.url, name: 'rebuild test' });
  await bus.ensureTopology();
  // Two replicas that fight for every partition: whichever was not the last one finds out.
  for (let n = 0; n < 2; n += 1)
    folding.push(
      createFold({ bus, db: view.db, logger, definition: projector, leases: 'ignored' }).run(over.signal),
    );
  providers = await Promise.all([addAccount(), addAccount(), addAccount()]);
  for (let n = 0; n < 20; n += 1) await live();
  await isFolded();
});

beforeEach(async () => {
  await dropRebuild({ ownerUrl: view.url, logger });
});

afterAll(async () => {
  over.abort();
  await Promise.all(folding);
  await bus.close();
  await Promise.all([nats.drop(), view.drop()]);
});

async function addAccount(): Promise<TestProvider> {
  const at = { tenant: TENANT, account: uuidv7() };
  await say(at, 'added');
  return createTestProvider(at);
}

async function say(at: AccountRef, verb: 'added' | 'removed'): Promise<void> {
  const { type, data } = account(verb);
  const event = envelope<unknown>({
    ...{ id: uuidv7(), source: '/test', type, time: new Date().toISOString(), ...at, data },
  });
  await bus.publish({ subject: subjects.fact(at, `account.${verb}`), data: event });
}

/** Something happens in every mailbox, and fetchers bring it. */
async function live(): Promise<void> {
  for (const provider of providers) {
    for (let n = 0; n < 5; n += 1) provider.change(Math.random);
    for (const scope of provider.scopes) {
      const fetched = await provider.fetch(bus, scope);
      if (fetched) await bus.publishBatch(fetched.messages, fetched.fence);
    }
  }
}

/** All that is in the log is in the view, and told. */
async function isFolded(): Promise<void> {
  const lasts = providers.flatMap(({ at, scopes }) => scopes.map((scope) => ({ at, scope })));
  await vi.waitFor(
    async () => {
      const rows = await view.db.query<{ page: string }>('select page from view.cursor');
      const pages = new Set(rows.map(({ page }) => page));
      const heads = await Promise.all(
        lasts.map(({ at, scope }) => bus.last('MAIL', subjects.cursor(at, scope))),
      );
      for (const head of heads) if (head) expect(pages).toContain(JSON.parse(text(head)).data.page);
      expect(await view.db.query('select from fold.outbox')).toEqual([]);
    },
    { timeout: 30_000 },
  );
}

const text = ({ data }: Stored) => Buffer.from(data).toString();

function rebuild(options: Partial<RebuildOptions> = {}, signal = new AbortController().signal) {
  return rebuildView(
    {
      bus,
      ownerUrl: view.url,
      logger,
      acceptDifferences: false,
      onProgress: () => undefined,
      ...options,
    },
    signal,
  );
}

/** Faults that somebody finds who knows nothing of these accounts but all that was told so far. */
async function faultsToldOf(accounts: readonly string[]): Promise<string[]> {
  const { last } = await bus.state('CHANGES');
  const subscriber = createSubscriber();
  const stop = new AbortController();
  for await (const messages of bus.read('CHANGES', '>', 1n, stop.signal)) {
    for (const message of messages) {
      const [kind, tenant = '', of = '', entity, verb = ''] = message.subject.split('.');
      if (kind !== 'changes' || entity !== 'message' || !accounts.includes(of)) continue;
      const { data } = JSON.parse(text(message));
      const sequence = message.sequence;
      subscriber.hear([{ to: 'changes', tenant, account: of, entity, verb, data, sequence }]);
    }
    if ((messages.at(-1)?.sequence ?? 0n) >= last) stop.abort();
  }
  return subscriber.problems(view.db);
}

const oid = async () => (await view.db.query("select 'view.message'::regclass::oid as oid"))[0];

it('is the same as the live view, and takes its place under folds and reads', async () => {
  const before = await oid();
  const busy = new AbortController();
  const misread: string[] = [];
  let reads = 0;
  const reading = (async () => {
    while (!busy.signal.aborted) {
      const rows = await view.tenants.of(TENANT).tx(async (tx) => {
        const ids = await tx.query<{ id: string }>(
          'select id from message where deleted_at is null limit 500',
        );
        return readMessages(
          tx,
          ids.map(({ id }) => id),
        );
      });
      reads += 1;
      if (rows.length === 0) misread.push('nothing there');
      for (const {
        view: { id, copies },
      } of rows)
        if (copies.length === 0) misread.push(id);
    }
  })();
  const changing = (async () => {
    while (!busy.signal.aborted) await live();
  })();
  const result = await rebuild();
  const after = await oid();
  busy.abort();
  await Promise.all([reading, changing]);

  expect(result).toMatchObject({ swapped: true, differences: [] });
  expect(after).not.toEqual(before);
  expect([misread, reads > 0]).toEqual([[], true]);
  await live();
  await isFolded();
  expect(await view.faults()).toEqual([]);
  const copies = await view.db.query('select from view.copy');
  expect(copies).toHaveLength(providers.flatMap((provider) => provider.truth()).length);
  expect(await view.db.query("select from fold.checkpoint where fold = 'projector-next'")).toEqual([]);
  expect(await readRebuild(view.db, 'projector')).toMatchObject({ stage: 'done', remaining: 0 });
  const seenByOthers = (tx: Tx) => tx.query('select from message');
  expect(await view.tenants.of('another').tx(seenByOthers)).toEqual([]);

  const old = view.tenants.of(TENANT).tx(async (tx) => {
    await rebuild();
    await findAccounts(tx, TENANT, undefined);
    return readVersions(tx);
  }, 'snapshot');
  await expect(old).rejects.toMatchObject({ code: 'api.view_behind' });
});

it('goes on wherever it was killed, and leaves nothing behind when it is dropped', async () => {
  const before = await oid();
  for (const steps of [2, 20, 60, 90, 120, 150]) {
    const life = createLife();
    life.endAfter(steps);
    await rebuild({ bus: mortalBus(bus, life) }).then(
      () => undefined,
      (error: Error) => expect(error.name).toBe('Killed'),
    );
    await live();
  }
  for (const last of ['folding', 'comparing', 'swapping'] as const) {
    const die = (stage: string) => {
      if (stage === last) throw new Error(`killed while ${stage}`);
    };
    await expect(rebuild({ reach: die })).rejects.toThrow(`killed while ${last}`);
  }
  await dropRebuild({ ownerUrl: view.url, logger });
  expect(await view.db.query("select from pg_namespace where nspname = 'view_next'")).toEqual([]);
  expect(await view.db.query("select from fold.checkpoint where fold <> 'projector'")).toEqual([]);
  expect(await readRebuild(view.db, 'projector')).toBeNull();
  expect(await dropRebuild({ ownerUrl: view.url, logger })).toBe(false);

  const first = runProcess('--json');
  await once(first.stderr, 'data');
  first.kill('SIGKILL');
  await once(first, 'exit');
  const second = runProcess('--json');
  expect(JSON.parse(await readText(second.stdout))).toMatchObject({ swapped: true, differences: [] });
  expect(await oid()).not.toEqual(before);
});

function runProcess(...options: string[]) {
  const main = new URL('main.ts', import.meta.url).pathname;
  const env = { DATABASE_URL: view.url, NATS_URL: nats.url };
  return spawn(process.execPath, [main, ...options], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

it('reports what is wrong with the live tables, changes nothing, and mends it in silence when it is told to', async () => {
  await isFolded();
  const sound = await view.rows();
  const [lost, other] = await view.owner.query<{ id: string }>(
    'delete from view.message where id in (select id from view.message where deleted_at is null order by id limit 1) returning id',
  );
  const [spoiled] = await view.owner.query<{ key: string }>(
    "update view.copy set flags = '{spoiled}' where ctid = (select ctid from view.copy limit 1) returning concat_ws('/', account, mailbox, generation, id) as key",
  );
  await view.owner.query(
    "insert into view.thread_ref values (gen_random_uuid(), 'default', 'x', gen_random_uuid())",
  );
  const before = (await bus.state('CHANGES')).last;

  const found = await rebuild();
  expect(other).toBeUndefined();
  expect(found.swapped).toBe(false);
  expect(found.differences).toMatchObject([
    { table: 'copy', kind: 'different', rows: 1, first: [spoiled?.key] },
    { table: 'message', kind: 'missing', rows: 1, first: [lost?.id] },
    { table: 'thread_ref', kind: 'extra', rows: 1 },
  ]);
  expect(await readRebuild(view.db, 'projector')).toMatchObject({ stage: 'differs' });
  expect(await view.rows()).not.toEqual(sound);

  expect(await rebuild({ acceptDifferences: true })).toMatchObject({ ...found, swapped: true });
  expect(await view.rows()).toEqual(sound);
  expect((await bus.state('CHANGES')).last).toBe(before);
});

it('knows of accounts that were removed meanwhile, whose facts are gone', async () => {
  const gone = providers.pop()?.at ?? { tenant: '', account: '' };
  const remove = async (stage: string) => {
    if (stage !== 'comparing') return;
    await say(gone, 'removed');
    await vi.waitFor(async () => expect(await rowsOf(gone)).toEqual([{ state: 'removed' }]), {
      timeout: 20_000,
    });
    await bus.purge('MAIL', `mail.*.${gone.tenant}.${gone.account}.>`);
  };
  expect(await rebuild({ reach: remove })).toMatchObject({ swapped: true, differences: [] });
  expect(await rowsOf(gone)).toEqual([{ state: 'removed' }]);
  expect(await view.db.query('select from fold.chain where account = $1', [gone.account])).toEqual([]);
  expect(await view.db.query('select from view.message where account = $1', [gone.account])).toEqual([]);
  expect(await rebuild()).toMatchObject({ swapped: true, differences: [] });
});

const rowsOf = ({ account: id }: AccountRef) =>
  view.db.query('select state from view.account where account = $1', [id]);

it('tells every change once, whatever was rebuilt meanwhile', async () => {
  await live();
  await isFolded();
  expect(await faultsToldOf(providers.map((provider) => provider.at.account))).toEqual([]);
});

it('refuses a log that does not reach back to the beginning', async () => {
  const [{ at } = { at: { tenant: '', account: '' } }] = providers;
  await bus.purge('MAIL', subjects.fact(at, 'account.added'));
  await expect(rebuild()).rejects.toMatchObject({ code: 'fold.log_short' });
  expect(await view.db.query("select from pg_namespace where nspname = 'view_next'")).toEqual([]);
});
