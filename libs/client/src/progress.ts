/** How far a subscription has come, where accounts overtake each other: a floor, and who is ahead of it. Pure. */
import type { Change } from './change.ts';
import type { Position } from './position.ts';

/** All up to `floor` is handled; of the accounts in `ahead` all up to their own sequence is, too. */
export interface Reached {
  readonly floor: Position;
  readonly ahead: ReadonlyMap<string, bigint>;
}

export interface Progress {
  /** These arrived; returns those that were not handled before. */
  arrived(changes: readonly Change[], position: Position): Change[];
  /** Changes of one account are done in their order. */
  done(change: Change): void;
  reached(): Reached;
}

/** More accounts than that are not remembered as ahead: after a crash their changes come again. */
const MAX_AHEAD = 5_000;

export function createProgress(start: Reached): Progress {
  const ahead = new Map(start.ahead);
  /** Arrived and not done, in the order of the stream. */
  const open = new Set<bigint>();
  let last = start.floor;

  const floor = (): Position => {
    const [first] = open;
    if (first === undefined) return last;
    return { stream: last.stream, sequence: first - 1n, storedAt: null };
  };

  return {
    arrived(changes, position) {
      last = position;
      const fresh = changes.filter(({ sequence, event }) => sequence > (ahead.get(event.account) ?? -1n));
      for (const { sequence } of fresh) open.add(sequence);
      return fresh;
    },
    done({ sequence, event }) {
      open.delete(sequence);
      // Put last, so that those who were not heard of for longest are the first to be forgotten.
      ahead.delete(event.account);
      ahead.set(event.account, sequence);
    },
    reached() {
      const reached = floor();
      for (const [account, sequence] of ahead)
        if (sequence <= reached.sequence || ahead.size > MAX_AHEAD) ahead.delete(account);
      return { floor: reached, ahead: new Map(ahead) };
    },
  };
}
