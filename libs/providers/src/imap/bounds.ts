/** What one command may cost at most: a server that floods or drips is left, whatever else it does. */

const KIBIBYTE = 1024;
const MEBIBYTE = 1024 * KIBIBYTE;
const MINUTE = 60_000;

export interface Bounds {
  /** Received until the command ends. */
  readonly bytes: number;
  readonly ms: number;
}

/** Connecting ends with the list of capabilities; a listing keeps all of its lines in memory, as objects of ten times their size. */
export const BOUNDS = {
  connect: { bytes: 256 * KIBIBYTE, ms: MINUTE },
  command: { bytes: 64 * MEBIBYTE, ms: 10 * MINUTE },
  list: { bytes: 8 * MEBIBYTE, ms: 10 * MINUTE },
  idle: { bytes: MEBIBYTE, ms: 60 * MINUTE },
} as const satisfies Readonly<Record<string, Bounds>>;

/** Also by how much a server may be past its bytes before it is noticed. */
const LOOK_MS = 100;

/** Calls `exceeded` once when a bound is passed before the function that it returns was called. `received`: bytes so far on the connection. */
export function watchBounds(
  { bytes, ms }: Bounds,
  received: () => number,
  exceeded: (error: { readonly code: 'ResponseTooLarge' | 'ETIMEDOUT' }) => void,
): () => void {
  const last = received() + bytes;
  const until = performance.now() + ms;
  const timer = setInterval(() => {
    const late = performance.now() > until;
    if (!late && received() <= last) return;
    clearInterval(timer);
    exceeded({ code: late ? 'ETIMEDOUT' : 'ResponseTooLarge' });
  }, LOOK_MS);
  return () => clearInterval(timer);
}
