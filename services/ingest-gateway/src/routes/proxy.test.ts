/** Connections to a service that are lost: reads are asked again, nothing else is. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHttpServer, createLogger, type HttpServer } from '@mailstream/runtime';
import { authenticate, tokenOf } from '@mailstream/testing';
import { afterEach, expect, it } from 'vitest';
import { registerProxyRoutes } from './proxy.ts';

let service: Server;
let app: HttpServer;
/** Methods of what reached the service. */
let asked: string[];

/** A gateway before a service that hangs up on the first so many requests. */
async function start(lost: number): Promise<void> {
  asked = [];
  service = createServer((request, answer) => {
    asked.push(request.method ?? '');
    if (asked.length <= lost) request.socket.destroy();
    else answer.setHeader('content-type', 'application/json').end('{}');
  });
  await new Promise<void>((listening) => service.listen(0, '127.0.0.1', listening));
  const { port } = service.address() as AddressInfo;
  app = await createHttpServer({
    title: 'test',
    logger: createLogger('test', 'silent'),
    authenticate,
    ready: () => true,
  });
  const url = `http://127.0.0.1:${port}`;
  await registerProxyRoutes(app, { orchestrator: url, projector: url });
}

afterEach(async () => {
  service.closeAllConnections();
  await new Promise((closed) => service.close(closed));
  await app.close();
});

async function call(method: 'GET' | 'POST'): Promise<number> {
  const headers = { authorization: `Bearer ${await tokenOf()}` };
  return (await app.inject({ method, url: '/v1/accounts', headers })).statusCode;
}

it('a read whose connection went is asked again', async () => {
  await start(2);
  expect(await call('GET')).toBe(200);
  expect(asked).toEqual(['GET', 'GET', 'GET']);
});

it('in the end the caller is told', async () => {
  await start(100);
  expect(await call('GET')).toBe(503);
  expect(asked).toHaveLength(4);
});

it('what may have had an effect is not asked again', async () => {
  await start(1);
  expect(await call('POST')).toBe(503);
  expect(asked).toEqual(['POST']);
});
