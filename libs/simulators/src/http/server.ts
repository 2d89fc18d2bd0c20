/** HTTPS on loopback, with ways to deliver an answer badly. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { DevCa } from './dev-ca.ts';
import type { HttpReply, HttpRequest } from './message.ts';

export interface ListenOptions {
  readonly tls: DevCa;
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
}

export interface Listening {
  /** `https://host:port`. */
  readonly origin: string;
  close(): Promise<void>;
}

const DRIP_CHUNKS = 40;

export async function listen(
  options: ListenOptions,
  handle: (request: HttpRequest) => Promise<HttpReply>,
): Promise<Listening> {
  const { tls, host, port } = options;
  const server = createServer({ cert: tls.cert, key: tls.key }, (incoming, response) => {
    answer(incoming, response, handle).catch((error: unknown) => {
      response.statusCode = 500;
      response.end(String(error));
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    origin: `https://${host}:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(
  incoming: IncomingMessage,
  response: ServerResponse,
  handle: (request: HttpRequest) => Promise<HttpReply>,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incoming.headers))
    if (value !== undefined) headers[name] = Array.isArray(value) ? value.join(', ') : value;
  const url = new URL(incoming.url ?? '/', `https://${headers.host ?? 'localhost'}`);
  const reply = await handle({ method: incoming.method ?? 'GET', url, headers, body: Buffer.concat(chunks) });

  const body = Buffer.from(reply.body ?? '');
  const gzip = reply.wire === 'gzip';
  const payload = gzip ? gzipSync(body) : body;
  response.writeHead(reply.status, {
    ...reply.headers,
    ...(gzip ? { 'content-encoding': 'gzip' } : {}),
    ...(reply.status === 204 ? {} : { 'content-length': payload.length }),
  });
  if (reply.wire === 'reset') {
    response.write(payload.subarray(0, Math.floor(payload.length / 2)));
    await nextTurn();
    reply.release?.();
    response.destroy();
    return;
  }
  if (reply.wire === 'drip') {
    const size = Math.max(1, Math.ceil(payload.length / DRIP_CHUNKS));
    for (let offset = 0; offset < payload.length - size; offset += size) {
      response.write(payload.subarray(offset, offset + size));
      await nextTurn();
    }
    const written = Math.max(0, Math.ceil(payload.length / size) - 1) * size;
    reply.release?.();
    response.end(payload.subarray(written));
    return;
  }
  // Released before the last byte: a client that waits for its answer is then never counted twice.
  reply.release?.();
  response.end(payload);
}
