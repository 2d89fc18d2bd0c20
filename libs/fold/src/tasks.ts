/** Running several things as one, and waiting for the first of several. */

/** Runs all tasks until `signal` aborts; when one fails the others are told to stop, and once all have ended the failure is thrown. */
export async function together(
  signal: AbortSignal,
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
): Promise<void> {
  const stop = new AbortController();
  const all = AbortSignal.any([signal, stop.signal]);
  let failure: { readonly error: unknown } | null = null;
  await Promise.all(
    tasks.map(async (task) => {
      try {
        await task(all);
      } catch (error) {
        // What fails after the stop fails because of it.
        if (!all.aborted) failure = { error };
        stop.abort(new DOMException('another part of it failed', 'AbortError'));
      }
    }),
  );
  rethrow(failure);
}

function rethrow(failure: { readonly error: unknown } | null): void {
  if (failure) throw failure.error;
}

/** Resolves when `event` does, after `ms` (null: never), or when `signal` aborts. */
export async function waitFor(event: Promise<void>, ms: number | null, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const stop = Promise.withResolvers<void>();
  const timer = ms === null ? undefined : setTimeout(stop.resolve, ms);
  const onAbort = () => stop.resolve();
  signal.addEventListener('abort', onAbort);
  try {
    await Promise.race([event, stop.promise]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
