/** TCP ports on this machine. */
import { createServer } from 'node:net';

const HOST = '127.0.0.1';

/**
 * Below what Linux, macOS and Windows give to outgoing connections: one of those could take a port between our look and its use. Each
 * process looks from a place of its own on, so that two that start together do not choose the same.
 */
const FIRST = 10_000;
const COUNT = 22_000;
const PER_PROCESS = 64;
let next = (process.pid * PER_PROCESS) % COUNT;

/** A port that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < COUNT; tries += 1) {
    const port = FIRST + next;
    next = (next + 1) % COUNT;
    if (await isPortFree(port)) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${FIRST + COUNT}`);
}

/** Whether we could listen on this port. */
export function isPortFree(port: number, host = HOST): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, host, () => server.close(() => resolve(true)));
  });
}
