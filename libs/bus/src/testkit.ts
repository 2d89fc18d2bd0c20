/** What the bus's own tests share: accounts, waiting for a condition, and a connection that can fall silent. */
import { connect, createServer, type Socket } from 'node:net';
import { uuidv7 } from '@mailstream/contracts';
import { createLogger } from '@mailstream/runtime/base';

export const silent = createLogger('test', 'silent');

/** An account nobody else uses. */
export const account = () => ({ tenant: 'acme', account: uuidv7() });

/** Waits until `condition` holds, asking every 10 ms; throws after `timeoutMs`. */
export async function until(condition: () => boolean | Promise<boolean>, timeoutMs = 10_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const json = (data: Uint8Array): unknown => JSON.parse(Buffer.from(data).toString());

export interface SilentProxy {
  readonly url: string;
  /** From now on nothing gets through in either direction, while the connections stay open. */
  mute(): void;
  close(): void;
}

/** Stands between client and server; muted, it is what a frozen node or a lost route looks like. */
export async function silentProxy(serverUrl: string): Promise<SilentProxy> {
  const { hostname, port } = new URL(serverUrl);
  const sockets = new Set<Socket>();
  let muted = false;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => muted || to.write(chunk));
      from.on('close', () => to.destroy());
      from.on('error', () => to.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: `nats://127.0.0.1:${address.port}`,
    mute: () => {
      muted = true;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
