/** One suite for every provider: after any sequence of operations on an account, the folded facts equal the account. For tests only. */
import { isDeepStrictEqual } from 'node:util';
import { MAILBOXES_SCOPE } from '@mailstream/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActor } from './conformance-actor.ts';
import { byId, createMirror, type Mirror, type Patience } from './conformance-mirror.ts';
import type { World, WorldMailbox } from './conformance-world.ts';
import type { Session } from './provider.ts';

export { createMirror, foldChange, type Patience, type View } from './conformance-mirror.ts';
export type { World, WorldMailbox } from './conformance-world.ts';

/** An empty account of one's own. */
export interface Harness {
  readonly world: World;
  /** With pages of about three messages, so that small mailboxes need several. */
  connect(): Promise<Session>;
  /** For accounts whose provider fails now and then. */
  readonly patience?: Patience;
  close(): Promise<void>;
}

export interface ConformanceOptions {
  readonly inbox: string;
  /** `seed` decides what goes wrong, where that is up to chance. */
  createHarness(seed: number): Promise<Harness>;
  /** Whether the state of a mailbox in the list tells of every change in it; if not, all mailboxes are polled. */
  readonly statesTell: boolean;
  /** Whether a cursor is good for a few looks only, so that each look moves it. */
  readonly cursorsWear?: boolean;
  /** Whether a first pull in the live lane tells of mail that comes after it. */
  readonly liveFromTheStart: boolean;
  /** How many random sequences to run, and the first seed. */
  readonly sequences: number;
  readonly seed?: number;
}

export function describeProvider(name: string, options: ConformanceOptions): void {
  describe(name, () => {
    describeOperations(options);
    describeInterruptions(options);
    describeRandomSequences(options);
  });
}

/** An account, its mirror, and the comparison of both. */
interface Stage extends Harness {
  readonly mirror: Mirror;
  /** Syncs until nothing is left, then compares. */
  settle(): Promise<void>;
}

/** Longer than a change needs to be seen everywhere. */
const REST_MS = 10 * 60_000;
/** Some things are looked into only once all is quiet, and noise of the provider's can pass for changes. */
const MAX_LOOKS = 10;

async function createStage(options: ConformanceOptions, seed = 0): Promise<Stage> {
  const harness = await options.createHarness(seed);
  const mirror = createMirror(() => harness.connect(), harness.patience);
  return {
    ...harness,
    mirror,
    async settle() {
      const sync = () => mirror.sync({ all: !options.statesTell });
      const truth = listingOf(await harness.world.list());
      for (let looks = harness.world.pass ? MAX_LOOKS : 1; looks > 0; looks -= 1) {
        await harness.world.pass?.(REST_MS);
        // A server may hang up on a session whose mailbox was taken away: a new one does the rest.
        await sync().catch((error: unknown) => {
          if (!mirror.isInterruption(error)) throw error;
          return sync();
        });
        if (isDeepStrictEqual(mirror.listing(), truth)) break;
      }
      expect(mirror.listing()).toEqual(truth);
      const { mailboxes, copies } = mirror.state.view;
      expect([...copies.values()].filter(({ copy }) => !mailboxes.has(copy.mailbox))).toEqual([]);
    },
    async close() {
      await mirror.close();
      await harness.close();
    },
  };
}

/** What can be compared: a mailbox without messages shows no generation. */
function listingOf(boxes: readonly WorldMailbox[]) {
  return boxes.map(({ path, generation, messages }) => ({
    path,
    generation: messages.length === 0 ? '' : generation,
    messages: messages.map(({ id, flags, subject }) => ({ id, flags, subject })).sort(byId),
  }));
}

/** In the order they came. */
async function idsIn(world: World, path: string): Promise<string[]> {
  const mailbox = (await world.list()).find((one) => one.path === path);
  return mailbox?.messages.map(({ id }) => id) ?? [];
}

/** What is known of each copy, whatever told it. */
function copiesOf({ state }: Mirror) {
  return [...state.view.copies.values()]
    .map(({ origin: _, ...copy }) => copy)
    .sort((a, b) => byId(a.copy, b.copy));
}

async function fill(world: World, mailbox: string, count: number): Promise<void> {
  for (let at = 1; at <= count; at += 1)
    await world.deliver(mailbox, {
      subject: `${mailbox.replace(/\W/g, '')}-${at}`,
      flags: at % 2 ? ['seen'] : [],
    });
}

function describeOperations(options: ConformanceOptions): void {
  describe('mirrors', () => {
    const { inbox } = options;
    let stage: Stage;
    let world: World;
    let mirror: Mirror;
    const ids = (path: string) => idsIn(world, path);
    const keyOf = (path: string) =>
      [...mirror.state.view.mailboxes.values()].find((box) => box.path === path)?.mailbox;

    beforeAll(async () => {
      stage = await createStage(options);
      ({ world, mirror } = stage);
      for (const path of ['Work', 'Work/Projects', 'Über & Söhne', 'Работа 日本'])
        await world.createMailbox(path);
      await fill(world, inbox, 11);
      await fill(world, 'Work/Projects', 4);
      await fill(world, 'Работа 日本', 2);
    });
    afterAll(() => stage.close());

    it('everything, the newest first', async () => {
      await stage.settle();
      const order = await ids(inbox);
      const imported = mirror.pages
        .filter(({ scope, page }) => scope === mirror.scopeOf(inbox)?.mailbox && page.origin === 'backfill')
        .flatMap(({ page }) => page.changes)
        .flatMap(({ kind, data }) => (kind === 'message' && data.op === 'upsert' ? [data.copy.id] : []))
        .map((id) => order.indexOf(id))
        .filter((place) => place >= 0);
      const lowest = [imported.slice(0, 3), imported.slice(3, 6)].map((part) => Math.min(...part));
      expect(imported).toHaveLength(11);
      expect(lowest[0]).toBeGreaterThan(lowest[1] ?? 0);
    });

    it('nothing, when nothing changed', async () => {
      await mirror.sync({ all: true });
      const [pages, copies] = [mirror.pages.length, copiesOf(mirror)];
      await mirror.sync({ all: true });
      expect(copiesOf(mirror)).toEqual(copies);
      if (!options.cursorsWear) expect(mirror.pages.slice(pages)).toEqual([]);
    });

    it('new mail, in the live lane', async () => {
      await fill(world, inbox, 5);
      await world.deliver('Über & Söhne', { subject: 'first' });
      await stage.settle();
      expect(mirror.pages.at(-1)?.page).toMatchObject({ done: true });
    });

    it('flags, also of several messages and as keywords', async () => {
      const [first = '', second = ''] = await ids(inbox);
      const flags = world.flags.filter((flag) => ['answered', 'flagged'].includes(flag));
      await world.setFlags(inbox, first, [...flags, 'project-x']);
      await world.setFlags(inbox, second, []);
      await stage.settle();
    });

    it('removed messages, one and all', async () => {
      await world.expunge(inbox, (await ids(inbox))[3] ?? '');
      for (const id of await ids('Работа 日本')) await world.expunge('Работа 日本', id);
      await stage.settle();
    });

    it('a removal that new mail hides in the count', async () => {
      await world.expunge(inbox, (await ids(inbox))[0] ?? '');
      await world.deliver(inbox, { subject: 'instead' });
      await stage.settle();
    });

    it('moves between mailboxes', async () => {
      await world.move(inbox, (await ids(inbox))[1] ?? '', 'Work');
      await world.move('Work/Projects', (await ids('Work/Projects'))[0] ?? '', inbox);
      await stage.settle();
    });

    it('a renamed mailbox under its old key, with its children', async () => {
      const keys = ['Work', 'Work/Projects'].map(keyOf);
      await world.renameMailbox('Work', 'Büro');
      await stage.settle();
      expect(['Büro', 'Büro/Projects'].map(keyOf)).toEqual(keys);
      await world.createMailbox('Work');
      await world.deliver('Work', { subject: 'another Work' });
      await stage.settle();
      expect(keyOf('Work')).not.toBe(keys[0]);
    });

    it('a mailbox deleted, and made again under its name', async () => {
      await world.deleteMailbox('Work');
      await stage.settle();
      await world.createMailbox('Work');
      await world.deliver('Work', { subject: 'reborn' });
      await stage.settle();
      await world.deleteMailbox('Work');
      await world.createMailbox('Work');
      await fill(world, 'Work', 3);
      await stage.settle();
    });

    it('a mailbox that was forgotten, whose old copies stay until it is read again', async () => {
      await fill(world, 'Work', 7);
      await stage.settle();
      const old = mirror.copiesIn('Work').length;
      await world.forget('Work');
      await world.expunge('Work', (await ids('Work'))[0] ?? '');
      const counts: number[] = [];
      const all = !options.statesTell;
      await mirror.sync({ all, afterPage: async () => void counts.push(mirror.copiesIn('Work').length) });
      await stage.settle();
      expect(Math.min(...counts)).toBeGreaterThanOrEqual(old - 1);
    });
  });
}

function describeInterruptions(options: ConformanceOptions): void {
  describe('is right after', () => {
    const { inbox } = options;
    let stage: Stage;
    const staged = (run: (stage: Stage) => Promise<void>) => async () => {
      stage = await createStage(options);
      await run(stage).finally(() => stage.close());
    };

    it(
      'changes during the import',
      staged(async ({ world, mirror, settle }) => {
        await fill(world, inbox, 20);
        let page = 0;
        await mirror.sync({
          async afterPage() {
            page += 1;
            if (page > 6) return;
            const ids = await idsIn(world, inbox);
            await world.expunge(inbox, ids.at(-1) ?? '');
            await world.expunge(inbox, ids.at(0) ?? '');
            await world.setFlags(inbox, ids.at(ids.length >> 1) ?? '', ['flagged']);
            await world.deliver(inbox, { subject: `meanwhile-${page}` });
          },
        });
        await settle();
      }),
    );

    it(
      'a loss of each page in turn, and of the connection with it',
      staged(async ({ world, mirror, settle }) => {
        await fill(world, inbox, 14);
        for (let lost = 0; lost < 10; lost += 1) {
          let page = 0;
          await mirror.sync({ losePage: () => page++ === lost }).catch((error: unknown) => {
            if (!mirror.isInterruption(error)) throw error;
          });
          if (lost % 3 === 0) await world.deliver(inbox, { subject: `after-loss-${lost}` });
        }
        await settle();
      }),
    );

    it(
      'going on from any earlier cursor of a mailbox',
      staged(async ({ world, mirror, settle }) => {
        await fill(world, inbox, 10);
        await settle();
        for (const at of [1, 3, 6]) {
          const ids = await idsIn(world, inbox);
          await world.expunge(inbox, ids[at] ?? '');
          await world.setFlags(inbox, ids[at + 1] ?? '', ['flagged']);
          await world.deliver(inbox, { subject: `later-${at}` });
          await settle();
        }
        const scope = mirror.scopeOf(inbox)?.mailbox ?? '';
        const cursors = mirror.pages
          .filter((stored) => stored.scope === scope)
          .map(({ page }) => page.cursor);
        for (const cursor of [null, ...cursors]) {
          mirror.rewind(scope, cursor);
          await mirror.sync({ all: true });
          await settle();
        }
      }),
    );

    it(
      'a first pull in the live lane, which imports nothing',
      staged(async ({ world, mirror, settle, connect }) => {
        await fill(world, inbox, 5);
        // Until all can be seen.
        await world.pass?.(1_000);
        const session = await connect();
        await mirror.pullOnce(session, MAILBOXES_SCOPE, null, 'live');
        const box = mirror.scopeOf(inbox);
        if (!box) throw new Error('no inbox');
        await mirror.pullOnce(session, box.mailbox, box.address, 'live');
        expect(mirror.copiesIn(inbox)).toEqual([]);
        await world.deliver(inbox, { subject: 'live' });
        await world.pass?.(1_000);
        await mirror.pullOnce(session, box.mailbox, box.address, 'live');
        const seen = mirror.copiesIn(inbox).map(({ content }) => content.subject);
        expect(seen).toEqual(options.liveFromTheStart ? ['live'] : []);
        expect(mirror.pages.at(-1)?.page.done).toBe(false);
        await session.close();
        await settle();
      }),
    );
  });
}

function describeRandomSequences(options: ConformanceOptions): void {
  const { inbox, sequences, seed: firstSeed = 1 } = options;
  describe('equals the account after random operations', () => {
    for (let seed = firstSeed; seed < firstSeed + sequences; seed += 1) {
      it(`seed ${seed}`, async () => {
        const { world, mirror, settle, close } = await createStage(options, seed);
        const actor = createActor(world, inbox, seed);
        try {
          for (let round = 0; round < 2; round += 1) {
            await actor.look();
            await actor.act(8);
            await mirror
              .sync({ losePage: () => actor.chance(12), afterPage: () => actor.act(actor.chance(2) ? 1 : 0) })
              .catch((error: unknown) => {
                if (!mirror.isInterruption(error)) throw error;
              });
            if (actor.chance(2)) await settle();
          }
          await settle();
        } finally {
          await close();
        }
      });
    }
  });
}
