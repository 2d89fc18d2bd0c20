import { EVENT_TYPES, MAX_EVENT_BYTES, subjects } from '@mailstream/contracts';
import { createHealth } from '@mailstream/runtime';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFold, type Fold } from './create-fold.ts';
import type { FoldDefinition } from './port.ts';
import { createWorld, readChanges, readStream, silent, start, type World } from './testkit.ts';
import { createKeeper, readCopies } from './testkit-keeper.ts';
import { createMailbox, publishUnfenced } from './testkit-mailbox.ts';
import { newAccount, publishPage } from './testkit-pages.ts';

let world: World;
let keeper: Fold;
let teller: Fold;
let stop: () => Promise<void>;
const told: string[] = [];

/** Says one thing to each stream per page, one of them too large for anybody. */
const tale: FoldDefinition = {
  name: 'teller',
  facts: ['cursor.*'],
  async apply(_tx, pages) {
    const emissions = pages.flatMap(({ tenant, account, cursor, sequence }) => {
      const at = { tenant, account };
      const data = { verb: 'updated', provider: 'imap', name: 'x', state: 'live', reason: null };
      return [
        { to: 'mail' as const, ...at, fact: 'account.updated', type: EVENT_TYPES.accountChanged, data },
        {
          to: 'changes' as const,
          ...at,
          entity: 'sync' as const,
          verb: 'completed',
          sequence,
          data: 'x'.repeat(MAX_EVENT_BYTES),
        },
        {
          to: 'changes' as const,
          ...at,
          entity: 'sync' as const,
          verb: 'completed',
          sequence,
          data: cursor?.event.data.page,
        },
      ];
    });
    const accounts = pages.map((page) => page.account);
    return { emissions, committed: async () => void told.push(...accounts) };
  },
};

beforeAll(async () => {
  world = await createWorld();
  keeper = createFold({ ...world, logger: silent, definition: createKeeper() });
  teller = createFold({ ...world, logger: silent, definition: tale });
  stop = start(keeper, teller);
});

afterAll(async () => {
  await stop();
  await world.close();
});

const copiesOf = async (account: string) =>
  (await readCopies(world.db))
    .filter((line) => line.startsWith(account))
    .map((line) => line.slice(account.length + 1));

const changesOf = async (account: string, type: string) =>
  (await readChanges(world.bus)).filter((event) => event.account === account && event.type === type);

const eventually = async (check: () => Promise<void>) => await vi.waitFor(check, 10_000);

describe('a page', () => {
  it('is folded and announced', async () => {
    const at = newAccount();
    const seen = [
      [1, 'a'],
      [2, 'b'],
    ] as const;
    const first = await publishPage(world.bus, { at, scope: 'inbox', prev: null, cursor: 1, seen });
    const then = [
      [1, null],
      [2, 'c'],
    ] as const;
    await publishPage(world.bus, { at, scope: 'inbox', prev: first, cursor: 2, seen: then });
    await eventually(async () => expect(await copiesOf(at.account)).toEqual(['inbox 2 c']));
    await eventually(async () =>
      expect(await changesOf(at.account, 'mailstream.message.updated.v1')).toHaveLength(4),
    );
  });

  it('that is stale is discarded and counted; the log gets the cursor of the view again, and the account is hinted', async () => {
    const mailbox = createMailbox();
    mailbox.change(1, 'old');
    await mailbox.sync(world.bus);
    mailbox.change(1, 'stale');
    const stale = await mailbox.fetch(world.bus);
    mailbox.change(1, 'new');
    await mailbox.sync(world.bus);
    mailbox.change(2, 'other');
    const { discarded } = keeper.stats();
    if (stale) await publishUnfenced(world.bus, mailbox, stale);

    const hint = subjects.hint(mailbox.at, 'user');
    await eventually(async () => expect(await world.bus.last('SYNC', hint)).not.toBeNull());
    // The teller discards it, too, and may have hinted first.
    await eventually(async () => expect(keeper.stats().discarded).toBe(discarded + 1));
    expect(await copiesOf(mailbox.at.account)).toEqual(['inbox 1 new']);
    await eventually(async () => {
      await mailbox.sync(world.bus);
      expect(await copiesOf(mailbox.at.account)).toEqual(['inbox 1 new', 'inbox 2 other']);
    });
  });
});

it('a partition that does not come back from a transaction is told of, and no other, until it does', async () => {
  let later = 0;
  const health = createHealth(() => performance.now() + later);
  const [begun, go] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const at = newAccount();
  const own = Number(subjects.fact(at, 'message.changed').split('.')[1]);
  const definition: FoldDefinition = {
    name: 'slow',
    facts: ['cursor.*'],
    apply: async () => ({ emissions: [] }),
  };
  const reach = async (_seam: unknown, partition: number) => {
    if (partition !== own) return;
    begun.resolve();
    await go.promise;
  };
  const fold = createFold({
    ...world,
    logger: silent,
    definition,
    health,
    leases: 'ignored',
    seams: { reach },
  });
  const end = start(fold);
  await publishPage(world.bus, { at, scope: 'inbox', prev: null, cursor: 1, seen: [] });
  await begun.promise;
  later = 6 * 60_000;
  const stuck = (loops: string[]) =>
    vi.waitFor(() => expect(health.stuck()).toEqual(loops), { timeout: 30_000, interval: 100 });
  await stuck([`fold slow partition ${own}`]);
  go.resolve();
  await stuck([]);
  await end();
});

describe('what a fold has to say', () => {
  it('goes to both streams, and to itself after the commit; what is too large is parked', async () => {
    const at = newAccount();
    const page = await publishPage(world.bus, { at, scope: 'inbox', prev: null, cursor: 1, seen: [] });
    await eventually(async () => {
      const [change] = await changesOf(at.account, 'mailstream.sync.completed.v1');
      expect(change).toMatchObject({ data: page, source: '/mailstream/teller', tenant: at.tenant });
      expect(await world.bus.last('MAIL', subjects.fact(at, 'account.updated'))).not.toBeNull();
      expect(told).toContain(at.account);
    });
    const letters = (await readStream(world.bus, 'DEAD')).map(({ subject }) => subject);
    expect(letters).toContain(subjects.dead('CHANGES', 'too-large'));
  });
});
