import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Judge } from './chain.ts';
import type { Seam } from './context.ts';
import { createFold, type Fold } from './create-fold.ts';
import { createWorld, readChanges, silent, start, type World } from './testkit.ts';
import { createKeeper, readCopies } from './testkit-keeper.ts';
import { createMailbox, type Fetched, publishUnfenced, type TestMailbox } from './testkit-mailbox.ts';
import { newAccount } from './testkit-pages.ts';

const ACCOUNTS = 60;
const SCOPES = 5;
const ROUNDS = 80;
const ACTIONS_AT_ONCE = 24;
const UIDS = 12;

/** Mulberry32: the same seed, the same plan. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Fetchers of one scope, sound and not. */
interface Scene {
  readonly mailbox: TestMailbox;
  /** Fetched and not published: the fetcher stalls, and will publish as if nothing had happened since. */
  readonly held: Fetched[];
  /** What was published, under which page id: it may come again. */
  readonly sent: { readonly fetched: Fetched; readonly page: string }[];
}

let world: World;
let stop = async () => {};

beforeEach(async () => {
  world = await createWorld();
});

afterEach(async () => {
  await stop();
  await world.close();
});

/** One thing that happens in a scope; `r` decides which. */
async function act({ mailbox, held, sent }: Scene, random: () => number, pageId: string): Promise<void> {
  const r = random();
  const pick = random();
  for (let i = 0; i < 3; i++) {
    const uid = 1 + Math.floor(random() * UIDS);
    if (random() < 0.5) mailbox.change(uid, random() < 0.2 ? null : pageId);
  }
  if (r < 0.5) {
    await mailbox.sync(world.bus);
  } else if (r < 0.75) {
    const fetched = await mailbox.fetch(world.bus);
    if (fetched) held.push(fetched);
  } else if (r < 0.92) {
    const [fetched] = held.splice(Math.floor(pick * held.length), 1);
    if (!fetched) return;
    await publishUnfenced(world.bus, mailbox, fetched, pageId);
    sent.push({ fetched, page: pageId });
  } else {
    const again = sent[Math.floor(pick * sent.length)];
    if (again) await publishUnfenced(world.bus, mailbox, again.fetched, again.page);
  }
}

/** Dies at each moment now and then; the partition then opens anew, as it does after a crash. */
function createCrashes(random: () => number): { reach(seam: Seam): void; end(): void; count(): number } {
  let over = false;
  let crashes = 0;
  return {
    reach() {
      if (over || random() > 0.04) return;
      crashes += 1;
      throw new Error('crashed by the simulation');
    },
    end() {
      over = true;
    },
    count: () => crashes,
  };
}

/** Plays the plan of a seed; returns what the view has that the providers do not hold, and the other way round. */
async function simulate(
  seed: number,
  judge?: Judge,
): Promise<{ differences: number; fold: Fold; crashes: number }> {
  const random = createRandom(seed);
  const scenes = Array.from({ length: ACCOUNTS }, () => newAccount()).flatMap((at) =>
    Array.from(
      { length: SCOPES },
      (_, i): Scene => ({ mailbox: createMailbox(`box${i}`, at), held: [], sent: [] }),
    ),
  );
  const crashes = createCrashes(createRandom(seed + 1));
  const fold = createFold({
    ...world,
    logger: silent,
    definition: createKeeper(),
    leases: 'ignored',
    seams: { reach: crashes.reach, ...(judge && { judge }) },
  });
  stop = start(fold);

  for (let round = 0; round < ROUNDS; round++) {
    // Few scopes have most of the traffic: there the faults meet.
    const busy = new Set(
      Array.from({ length: ACTIONS_AT_ONCE }, () => scenes[Math.floor(random() ** 2 * scenes.length)]),
    );
    await Promise.all(
      Array.from(busy, async (scene, n) => {
        const plan = createRandom(seed * 7919 + round * 104_729 + n);
        if (scene) await act(scene, plan, `p${round}.${n}`);
      }),
    );
  }
  crashes.end();

  const differences = async () => {
    await Promise.all(scenes.map(({ mailbox }) => mailbox.sync(world.bus)));
    const truth = new Set(scenes.flatMap(({ mailbox }) => mailbox.truth()));
    return new Set(await readCopies(world.db)).symmetricDifference(truth).size;
  };
  // Settled: everything is folded and nothing differs. The control run never gets there: it is over when fetching finds nothing more.
  let left = await differences();
  await vi.waitFor(
    async () => {
      const { last } = await world.bus.state('MAIL');
      const before = left;
      left = await differences();
      const isStuck = judge !== undefined && left === before && (await world.bus.state('MAIL')).last === last;
      expect(left === 0 || isStuck).toBe(true);
      expect((await fold.lag()).filter((each) => each.lag > 0)).toEqual([]);
    },
    { timeout: 60_000, interval: 300 },
  );
  return { differences: left, fold, crashes: crashes.count() };
}

describe('300 scopes with stalled fetchers, broken fences, pages sent again, and crashes', () => {
  it('end with the view equal to the providers, and each fact announced once', async () => {
    const { differences, fold, crashes } = await simulate(1);
    expect(differences).toBe(0);
    expect(fold.stats().discarded).toBeGreaterThan(50);
    expect(crashes).toBeGreaterThan(20);
    await vi.waitFor(async () => {
      const waiting = await world.db.query('SELECT 1 FROM fold.outbox');
      expect(waiting).toEqual([]);
    }, 10_000);
    const events = await readChanges(world.bus);
    const versions = events.map((event) => String(Reflect.get(Object(event.data), 'version')));
    expect(new Set(versions).size).toBe(events.length);
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length);
  }, 120_000);

  it('do not, when the chain rule is taken away: the simulation can fail', async () => {
    const acceptAll: Judge = (units) => ({
      ...{ pages: units.flatMap((unit) => (unit.page ? [unit.page] : [])), changed: new Map() },
      ...{ discarded: [], diverged: [], seeded: [], arrived: [], removed: [] },
    });
    const { differences } = await simulate(1, acceptAll);
    expect(differences).toBeGreaterThan(0);
  }, 120_000);
});
