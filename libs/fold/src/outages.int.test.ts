import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDb, type Db } from '@mailstream/db';
import { startPostgres } from '@mailstream/devstack';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFold } from './create-fold.ts';
import { migrateFold } from './migrate.ts';
import { createWorld, readChanges, silent, start, type World } from './testkit.ts';
import { createKeeper, createKeeperTables, readCopies } from './testkit-keeper.ts';
import { createMailbox, type TestMailbox } from './testkit-mailbox.ts';

// Processes are killed and started here: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 90_000 });

let world: World;
let db: Db;
let postgres: Awaited<ReturnType<typeof startPostgres>>;
let dir: string;
let mailboxes: TestMailbox[];
let stop = async () => {};

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'mailstream-outage-'));
  [world, postgres] = await Promise.all([createWorld(), startPostgres({ dir })]);
  await migrateFold(postgres.url, silent);
  db = createDb({ url: postgres.url, max: 20, applicationName: 'outage test', logger: silent });
  await createKeeperTables(db);
  mailboxes = Array.from({ length: 8 }, () => createMailbox());
  stop = start(createFold({ bus: world.bus, db, logger: silent, definition: createKeeper() }));
});

afterEach(async () => {
  await stop();
  await db.close();
  await postgres.stop();
  await world.close();
  await rm(dir, { recursive: true, force: true });
});

async function write(rounds: number): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const mailbox of mailboxes) {
      for (let uid = 1; uid <= 20; uid++)
        mailbox.change(uid, `${mailbox.at.account.slice(-4)} ${round} ${uid}`);
      await mailbox.sync(world.bus);
    }
  }
}

/** The view is true, and each fact in the log was announced once. */
async function allIsWell(rounds: number): Promise<void> {
  await vi.waitFor(
    async () => {
      expect((await readCopies(db)).sort()).toEqual(mailboxes.flatMap((each) => each.truth()).sort());
      expect(await readChanges(world.bus)).toHaveLength(rounds * mailboxes.length * 20);
    },
    { timeout: 60_000, interval: 200 },
  );
  const events = await readChanges(world.bus);
  expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
}

describe('a fold outlives', () => {
  it('PostgreSQL killed in the middle of its work', async () => {
    await write(5);
    await postgres.kill();
    await write(5);
    postgres = await startPostgres({ dir, port: postgres.port });
    await write(5);
    await allIsWell(15);
  });

  it('nats-server killed in the middle of its work', async () => {
    await write(5);
    await world.nats.kill();
    await world.nats.restart();
    await write(5);
    await allIsWell(10);
  });

  it('the loss of the leases', async () => {
    await write(2);
    await world.bus.purge('WATCH', 'lease.>');
    await write(2);
    await allIsWell(4);
  });
});
