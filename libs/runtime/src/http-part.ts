/** Serving for as long as a service runs, and stopping so that no caller notices. */
import { setTimeout as sleep } from 'node:timers/promises';
import { aborted } from './clock.ts';
import { AppError, messageOf } from './errors.ts';
import type { HttpServer } from './http.ts';
import type { Part } from './run-service.ts';

/** What is being answered when a server stops has so long to end, milliseconds. */
const DRAIN_MS = 3_000;
const LOOK_MS = 25;
/** When nobody asked between so many looks, nobody is about to. By looks, not by time: a process that stood still heard nobody. */
const QUIET_LOOKS = 10;
/** Two seconds. */
const MAX_LOOKS = 80;

/**
 * Serves for as long as it runs. Then callers are sent elsewhere by `Connection: close`, and connections on which nothing is asked are closed when
 * it has been quiet for a moment: not under a request that is on its way. What is asked by then is answered; what takes longer than `drainMs`
 * is cut off. Throws `http.port` when the address is taken.
 */
export function httpPart(
  app: HttpServer,
  at: { readonly host: string; readonly port: number },
  { drainMs = DRAIN_MS }: { readonly drainMs?: number } = {},
): Part {
  return {
    name: 'http',
    async run(signal) {
      let askedAt = Number.NEGATIVE_INFINITY;
      app.server.prependListener('request', (_, response) => {
        askedAt = performance.now();
        if (signal.aborted) response.setHeader('Connection', 'close');
      });
      await app.listen(at).catch((cause: unknown) => {
        throw new AppError(
          'http.port',
          'permanent',
          `cannot listen on ${at.host}:${at.port} (MAILSTREAM_HTTP_HOST, MAILSTREAM_HTTP_PORT): ${messageOf(cause)}`,
          { cause },
        );
      });
      await aborted(signal);
      if (performance.now() - askedAt < QUIET_LOOKS * LOOK_MS) await untilQuiet(() => askedAt);
      const late = setTimeout(() => app.server.closeAllConnections(), drainMs);
      await app.close().finally(() => clearTimeout(late));
    },
  };
}

async function untilQuiet(askedAt: () => number): Promise<void> {
  let quiet = 0;
  for (let looks = 0; quiet < QUIET_LOOKS && looks < MAX_LOOKS; looks += 1) {
    const before = askedAt();
    await sleep(LOOK_MS);
    quiet = askedAt() === before ? quiet + 1 : 0;
  }
}
