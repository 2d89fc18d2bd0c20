/** Whether a process lives and whether it can work, which are two questions: what waits for a server that is away lives. */

/** A loop that says that it goes on. */
export interface Pulse {
  beat(): void;
  /** It ended as it should. */
  end(): void;
}

export interface Health {
  /** A loop that has to beat at least so often, milliseconds, whatever happens to the servers that it talks to. */
  watch(loop: string, patienceMs: number): Pulse;
  /** Loops that stand still; none: alive. */
  stuck(): readonly string[];
  /** What there is to be before work can be done; `check` answers false, or throws, while it is not there. */
  need(what: string, check: () => boolean | Promise<boolean>): void;
  /** What is missing; nothing: ready. Answers within three seconds. */
  missing(): Promise<readonly string[]>;
}

const CHECK_MS = 3_000;

/** `now`: milliseconds on a clock that never goes back. */
export function createHealth(now: () => number = () => performance.now()): Health {
  const loops = new Set<{ readonly loop: string; readonly patienceMs: number; at: number }>();
  const needs: { readonly what: string; readonly check: () => boolean | Promise<boolean> }[] = [];
  return {
    watch(loop, patienceMs) {
      const watched = { loop, patienceMs, at: now() };
      loops.add(watched);
      return {
        beat() {
          watched.at = now();
        },
        end: () => void loops.delete(watched),
      };
    },
    stuck: () => [...loops].filter(({ at, patienceMs }) => now() - at > patienceMs).map(({ loop }) => loop),
    need: (what, check) => void needs.push({ what, check }),
    async missing() {
      const checked = await Promise.all(
        needs.map(async (need) => ((await isThere(need.check)) ? [] : [need.what])),
      );
      return checked.flat();
    },
  };
}

/** What a server asks on behalf of its probes. */
export function probesOf(health: Health) {
  return {
    ready: async () => (await health.missing()).length === 0,
    alive: () => health.stuck().length === 0,
  };
}

async function isThere(check: () => boolean | Promise<boolean>): Promise<boolean> {
  const late = Promise.withResolvers<false>();
  const timer = setTimeout(() => late.resolve(false), CHECK_MS);
  const checked = (async () => await check())().catch(() => false);
  return await Promise.race([checked, late.promise]).finally(() => clearTimeout(timer));
}
