/** Requests that are slow on purpose, too many connections, and plain http where it is not wanted. */
import { connect, type Socket } from 'node:net';
import { authenticate } from '@mailstream/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createHttpServer, type HttpDeps, type HttpServer } from './http.ts';
import { createLogger } from './log.ts';

const open: HttpServer[] = [];
const sockets: Socket[] = [];
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await Promise.all(open.splice(0).map((app) => app.close()));
});

async function start(deps: Partial<HttpDeps>): Promise<HttpServer> {
  const logger = createLogger('test', 'silent');
  const app = await createHttpServer({ title: 'test', logger, authenticate, ready: () => true, ...deps });
  app.post('/v1/echo', { config: { open: true } }, async ({ body }) => body ?? {});
  open.push(app);
  return app;
}

/** Sends `head`, then a byte now and then; resolves with what was answered when the server hangs up. */
async function drip(app: HttpServer, head: string): Promise<string> {
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const socket = connect(Number(port), '127.0.0.1');
  sockets.push(socket);
  let answer = '';
  socket.on('data', (data) => {
    answer += data;
  });
  socket.on('error', () => undefined);
  socket.write(head);
  const timer = setInterval(() => socket.write('x'), 20);
  await new Promise((closed) => socket.once('close', closed));
  clearInterval(timer);
  return answer;
}

describe('a request that drips', () => {
  const patience = { headersMs: 150, requestMs: 300 };

  it('in its headers is cut off', async () => {
    const answer = await drip(await start({ patience }), 'POST /v1/echo HTTP/1.1\r\nhost: a\r\nx-slow: ');
    expect(answer).toMatch(/^(HTTP\/1\.1 408|$)/);
  });

  it('in its body is cut off', async () => {
    const head =
      'POST /v1/echo HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n"';
    const answer = await drip(await start({ patience }), head);
    expect(answer).toMatch(/^(HTTP\/1\.1 408|$)/);
  });
});

it('connections beyond the bound are closed, and the others go on', async () => {
  const app = await start({ maxConnections: 2 });
  const { port } = new URL(await app.listen({ port: 0, host: '127.0.0.1' }));
  const dial = () => {
    const socket = connect(Number(port), '127.0.0.1');
    sockets.push(socket.on('error', () => undefined));
    return socket;
  };
  const [one] = [dial(), dial()];
  await expect
    .poll(() => new Promise((counted) => app.server.getConnections((_, count) => counted(count))))
    .toBe(2);
  await new Promise((closed) => dial().once('close', closed));
  let answer = '';
  one.on('data', (data) => {
    answer += data;
  });
  one.write('GET /livez HTTP/1.1\r\nhost: a\r\n\r\n');
  await expect.poll(() => answer).toContain('200 OK');
});

describe('where only https is answered', () => {
  const forwarded = { 'x-forwarded-proto': 'https' };
  const post = (app: HttpServer, headers = {}) =>
    app.inject({ method: 'POST', url: '/v1/echo', headers, payload: {} });

  it('plain http is refused, and so is the word of a proxy nobody trusts', async () => {
    const app = await start({ httpsOnly: true });
    for (const headers of [{}, forwarded]) {
      const answer = await post(app, headers);
      expect(answer.statusCode).toBe(403);
      expect(answer.json().error.code).toBe('http.insecure');
    }
    expect((await app.inject('/livez')).statusCode).toBe(200);
  });

  it('the word of a trusted proxy is taken', async () => {
    const app = await start({ httpsOnly: true, trustedProxies: ['127.0.0.1'] });
    expect((await post(app, forwarded)).statusCode).toBe(200);
    expect((await post(app)).statusCode).toBe(403);
  });
});
