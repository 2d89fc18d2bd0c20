import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFold } from './create-fold.ts';
import {
  createKeeper,
  createWorld,
  newAccount,
  publishPage,
  readChanges,
  readCopies,
  silent,
  start,
  type World,
} from './testkit.ts';

let world: World;
let stop: () => Promise<void>;

beforeAll(async () => {
  world = await createWorld();
  stop = start(createFold({ ...world, logger: silent, definition: createKeeper() }));
});

afterAll(async () => {
  await stop();
  await world.close();
});

describe('a fold', () => {
  it('folds pages and announces them', async () => {
    const at = newAccount();
    const first = await publishPage(world.bus, {
      at,
      scope: 'inbox',
      prev: null,
      cursor: 1,
      seen: [
        [1, 'a'],
        [2, 'b'],
      ],
    });
    await publishPage(world.bus, {
      at,
      scope: 'inbox',
      prev: first,
      cursor: 2,
      seen: [
        [1, null],
        [2, 'c'],
      ],
    });
    await vi.waitFor(
      async () => expect(await readCopies(world.db)).toEqual([`${at.account} inbox 2 c`]),
      10_000,
    );
    await vi.waitFor(async () => expect(await readChanges(world.bus)).toHaveLength(4), 10_000);
  });
});
