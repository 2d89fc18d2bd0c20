import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { PARTITIONS, partitionOf } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createFold, type Fold } from './create-fold.ts';
import { readDamage } from './damage.ts';
import { incidents } from './incidents.ts';
import type { FoldDefinition, RepairKind } from './port.ts';
import { type FoldPosition, readPositions } from './positions.ts';
import { createWorld, readChanges, silent, start, type World } from './testkit.ts';
import { createKeeper, readCopies } from './testkit-keeper.ts';
import { createMailbox, type TestMailbox } from './testkit-mailbox.ts';

// Processes are killed and started here: on a busy machine that takes its time.
vi.setConfig({ testTimeout: 90_000 });

let log: TestNats;
let world: World;
let fold: Fold;
let mailboxes: TestMailbox[];
let stop = async () => {};

/** Follows the keeper, as the orchestrator follows the projector: no view, no cursors of its own. */
const follower: FoldDefinition = {
  name: 'follower',
  facts: ['cursor.*'],
  apply: async () => ({ emissions: [] }),
};

function run(definition = createKeeper()): void {
  fold = createFold({ ...world, logger: silent, definition, leases: 'ignored' });
  stop = start(fold, createFold({ ...world, logger: silent, definition: follower, leases: 'ignored' }));
}

beforeEach(async () => {
  log = await createNats();
  world = await createWorld(Promise.resolve(log));
  mailboxes = Array.from({ length: 6 }, () => createMailbox());
  run();
  await everybodyWrites('first');
  await viewIsTrue();
});

afterEach(async () => {
  await stop();
  await world.close();
});

/** Each mailbox loses a message, changes one and gets one, and a fetcher sees it. */
async function everybodyWrites(value: string): Promise<void> {
  for (const mailbox of mailboxes) {
    mailbox.change(1, null);
    mailbox.change(2, value);
    mailbox.change(3 + (value.length % 5), value);
    await mailbox.sync(world.bus);
  }
}

/** A mailbox that the view has nothing of is imported, and then nothing happens in it. */
async function strangerWrites(): Promise<void> {
  const stranger = createMailbox('stranger', mailboxes[0]?.at);
  mailboxes.push(stranger);
  stranger.change(1, 'the only message');
  await stranger.sync(world.bus);
}

/**
 * Fetchers go on, as hints and polls have them do, until the view is what the providers hold and the log's cursors are those of the view; the
 * follower ends where the keeper ends.
 */
async function viewIsTrue(): Promise<void> {
  await vi.waitFor(
    async () => {
      for (const mailbox of mailboxes) await mailbox.sync(world.bus);
      expect((await readCopies(world.db)).sort()).toEqual(mailboxes.flatMap((each) => each.truth()).sort());
      const cursors = await Promise.all(mailboxes.map((mailbox) => mailbox.lastPage(world.bus)));
      expect(await chains('keeper')).toEqual(cursors.sort());
      expect(await chains('follower')).toEqual(cursors.sort());
      expect(await world.db.query('SELECT 1 FROM fold.outbox')).toEqual([]);
    },
    { timeout: 60_000, interval: 200 },
  );
}

async function chains(name: string): Promise<string[]> {
  const rows = await world.db.query<{ page: string }>('SELECT page FROM fold.chain WHERE fold = $1', [name]);
  return rows.map((row) => row.page).sort();
}

/** The log is repaired, loudly, and then nothing is discarded any more. */
async function isRepaired(...kinds: readonly RepairKind[]): Promise<void> {
  await viewIsTrue();
  const found = (await incidents(world.db)).filter((each) => each.fold === 'keeper');
  expect(new Set(kinds).isSupersetOf(new Set(found.map((each) => each.kind)))).toBe(true);
  const partitions = new Set(mailboxes.map((each) => Number(partitionOf(each.at.account))));
  expect(new Set(found.map((each) => each.partition)).isSupersetOf(partitions)).toBe(true);
  expect(fold.stats().incidents).toBe(found.length);
  const { discarded } = fold.stats();
  await everybodyWrites('after the repair');
  await viewIsTrue();
  expect(fold.stats().discarded).toBe(discarded);
  await versionsGrow();
}

/** Sequences began anew; to subscribers, who drop what is older than what they have, versions never do. */
async function versionsGrow(): Promise<void> {
  const changes = await readChanges(world.bus);
  for (const { at } of mailboxes) {
    const versions = changes
      .filter(({ account }) => account === at.account)
      .map(({ data }) => BigInt((data as { version: string }).version));
    expect(versions).toEqual([...new Set(versions)].sort((a, b) => (a < b ? -1 : 1)));
  }
}

describe('a log that was deleted and made again', () => {
  it('is found while running', async () => {
    await log.whileStopped(async (streams) => await rm(join(streams, 'MAIL'), { recursive: true }));
    await world.bus.ensureTopology();
    await everybodyWrites('into the new log');
    await isRepaired('recreated');
  });

  it('is found at the start, with pages in it from before the repair and from during it', async () => {
    await stop();
    await everybodyWrites('never folded');
    await log.whileStopped(async (streams) => await rm(join(streams, 'MAIL'), { recursive: true }));
    await world.bus.ensureTopology();
    await everybodyWrites('does not continue what was folded');
    const known = [...mailboxes];
    await strangerWrites();
    run({
      ...createKeeper(),
      async repaired(_tx, partition) {
        for (const mailbox of known) {
          if (Number(partitionOf(mailbox.at.account)) !== partition) continue;
          mailbox.change(2, 'stored after the repair, before the seed');
          await mailbox.sync(world.bus);
        }
        return [];
      },
    });
    await isRepaired('recreated');
  });
});

describe('a log put back from a backup', () => {
  beforeEach(async () => {
    await log.whileStopped(async (streams, backup) => await cp(streams, backup, { recursive: true }));
    await everybodyWrites('after the backup');
    await viewIsTrue();
  });

  const putBack = async (streams: string, backup: string) => {
    await rm(join(streams, 'MAIL'), { recursive: true });
    await cp(join(backup, 'MAIL'), join(streams, 'MAIL'), { recursive: true });
  };

  it('has lost its tail', async () => {
    await stop();
    await log.whileStopped(putBack);
    run();
    // A partition that is opened late may find the lost sequences written anew, by the repair of another.
    await isRepaired('truncated', 'restored');
  });

  it('has other events at the same sequences', async () => {
    await stop();
    await log.whileStopped(putBack);
    await everybodyWrites('written into the old log');
    await strangerWrites();
    await everybodyWrites('and again');
    run();
    await isRepaired('restored');
  });
});

it('finds that what it had not folded has expired', async () => {
  await stop();
  await everybodyWrites('never folded');
  await world.bus.purge('MAIL', 'mail.>');
  run();
  await isRepaired('expired');
});

it('does not seem to have lost its tail to who looks while it grows', async () => {
  const state: World['bus']['state'] = async (stream) => {
    const found = await world.bus.state(stream);
    await everybodyWrites('written and folded meanwhile');
    await viewIsTrue();
    return found;
  };
  expect(await readDamage({ bus: { at: world.bus.at, state }, db: world.db }, 'keeper')).toEqual([]);
});

it('takes no harm when an account is purged, be it the oldest in the log', async () => {
  const { last } = await world.bus.state('MAIL');
  const isCaughtUp = (each: FoldPosition) => each.position >= last;
  await vi.waitFor(async () => {
    expect((await readPositions(world.db, 'keeper')).filter(isCaughtUp)).toHaveLength(PARTITIONS);
  }, 15_000);
  const oldest = mailboxes[0]?.at;
  await world.bus.purge('MAIL', `mail.*.*.${oldest?.account}.>`);
  await stop();
  run();
  await everybodyWrites('after the purge');
  await viewIsTrue();
  expect(await incidents(world.db)).toEqual([]);
});
