/** What a Service of Kubernetes is to whoever calls it: one address, a connection to it goes to one of the pods that are ready, and stays there. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

export interface Front {
  readonly url: string;
  /** From now on new connections go to these in turn; those that are there stay. */
  serve(urls: readonly string[]): void;
  close(): Promise<void>;
}

export async function startFront(): Promise<Front> {
  let targets: readonly string[] = [];
  let turn = 0;
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (caller) => {
    turn += 1;
    const target = targets[turn % targets.length];
    if (target === undefined) return void caller.destroy();
    const { hostname, port } = new URL(target);
    const pod = connect({ host: hostname, port: Number(port), allowHalfOpen: true });
    for (const [from, to] of [
      [caller, pod],
      [pod, caller],
    ] as const) {
      sockets.add(from);
      from.setNoDelay();
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        if (from.destroyed && !to.writableFinished) to.destroySoon();
      });
    }
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    serve(urls) {
      targets = urls;
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
