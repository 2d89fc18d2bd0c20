/** The simulator's own time: it stands still until it is advanced, so that days pass in a millisecond. */

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs `task` once when the time has come, synchronously within `advance`. Returns how to call it off. */
  at(time: number, task: () => void): () => void;
  /** Moves time forward, running what becomes due in order; a task sees the time it was planned for. */
  advance(ms: number): void;
}

interface Planned {
  readonly time: number;
  readonly order: number;
  readonly task: () => void;
}

export function createClock(start: number): Clock {
  let now = start;
  let order = 0;
  const planned = new Set<Planned>();

  const nextUntil = (time: number) => {
    let next: Planned | undefined;
    for (const entry of planned) {
      if (entry.time > time) continue;
      if (!next || entry.time < next.time || (entry.time === next.time && entry.order < next.order))
        next = entry;
    }
    return next;
  };

  return {
    now: () => now,
    at: (time, task) => {
      const entry = { time, order: order++, task };
      planned.add(entry);
      return () => planned.delete(entry);
    },
    advance: (ms) => {
      const target = now + ms;
      for (let due = nextUntil(target); due; due = nextUntil(target)) {
        planned.delete(due);
        now = Math.max(now, due.time);
        due.task();
      }
      now = target;
    },
  };
}

/** Lets a clock run with real time, in small steps. Returns how to stop it. */
export function runInRealTime(clock: Clock, stepMs = 20): () => void {
  let last = performance.now();
  const timer = setInterval(() => {
    const current = performance.now();
    clock.advance(Math.round(current - last));
    last = current;
  }, stepMs);
  timer.unref();
  return () => clearInterval(timer);
}
