/** Random operations on an account, the same ones for the same seed. For tests only. */
import type { World, WorldMailbox } from './conformance-world.ts';

export interface Actor {
  /** Learns what the account holds; operations choose from that. */
  look(): Promise<void>;
  /** Does up to `most` operations. What the account refuses is no operation. */
  act(most: number): Promise<void>;
  /** True once in `times`. */
  chance(times: number): boolean;
}

const NAMES = ['Work', 'Work/A', 'Work/A/ü', 'Lists', 'Lists/日本', 'Old'];

export function createActor(world: World, inbox: string, seed: number): Actor {
  const below = createRandom(seed);
  const pick = <T>(list: readonly T[]): T | undefined => list[below(Math.max(1, list.length))];
  let boxes: readonly WorldMailbox[] = [];

  const operation = async (): Promise<void> => {
    const box = pick(boxes) ?? { path: inbox, messages: [] };
    const id = pick(box.messages)?.id ?? 'none';
    const flags = world.flags.filter(() => below(2) === 0);
    const name = pick(NAMES) ?? inbox;
    switch (below(13)) {
      case 0:
        return world.createMailbox(name);
      case 1:
        return world.renameMailbox(name, pick(NAMES) ?? name);
      case 2:
        return world.deleteMailbox(name);
      case 3:
        return boxes.some(({ path }) => path === name) ? world.forget(name) : undefined;
      case 4:
      case 5:
        return world.setFlags(box.path, id, flags);
      case 6:
      case 7:
        return world.expunge(box.path, id);
      case 8:
        return world.move(box.path, id, pick(boxes)?.path ?? inbox);
      case 9: {
        const there = pick(boxes)?.path ?? inbox;
        await world.move(box.path, id, there);
        return world.move(there, id, box.path);
      }
      default:
        for (let count = below(6); count >= 0; count -= 1)
          await world.deliver(box.path, { subject: `s${below(1_000_000)}`, flags });
    }
  };

  return {
    async look() {
      boxes = await world.list();
    },
    async act(most) {
      for (let count = most === 0 ? 0 : below(most) + 1; count > 0; count -= 1)
        await operation().catch(() => undefined);
    },
    chance: (times) => below(times) === 0,
  };
}

/** Mulberry32: small, seeded, good enough to choose operations. */
function createRandom(seed: number): (limit: number) => number {
  let state = seed * 0x9e3779b9;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % limit;
  };
}
