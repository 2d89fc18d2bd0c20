/** A server that stops: what was asked is answered, what comes on a connection that is there is answered, what never ends is cut off. */
import { Agent, get, type IncomingMessage } from 'node:http';
import { authenticate } from '@mailstream/testing';
import { afterEach, expect, it } from 'vitest';
import { createHttpServer } from './http.ts';
import { httpPart } from './http-part.ts';
import { createLogger } from './log.ts';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

interface Held {
  readonly url: string;
  /** Resolves when `/held` was asked. */
  readonly asked: Promise<void>;
  /** Resolves when it has begun to stop, which ends when `/held` may be answered. */
  readonly stopping: Promise<void>;
  /** Lets `/held` be answered. */
  release(): void;
  /** Resolves when it has stopped. */
  stop(): Promise<void>;
}

async function start(drainMs: number): Promise<Held> {
  const app = await createHttpServer({
    title: 'test',
    logger: createLogger('test', 'silent'),
    authenticate,
    ready: () => true,
  });
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const stopping = Promise.withResolvers<void>();
  const listening = Promise.withResolvers<string>();
  app.get('/held', { config: { open: true } }, async () => {
    asked.resolve();
    await released.promise;
    return { held: true };
  });
  app.addHook('preClose', async () => {
    stopping.resolve();
    await released.promise;
  });
  app.addHook('onListen', async () => listening.resolve(app.listeningOrigin));
  const end = new AbortController();
  const ran = httpPart(app, { host: '127.0.0.1', port: 0 }, { drainMs }).run(end.signal);
  const stop = () => {
    end.abort();
    return ran;
  };
  stops.push(stop, async () => released.resolve());
  return {
    url: await listening.promise,
    asked: asked.promise,
    stopping: stopping.promise,
    release: () => released.resolve(),
    stop,
  };
}

function ask(url: string, agent: Agent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (answer) => resolve(answer.resume())).once('error', reject);
  });
}

it('answers what was asked before and what comes meanwhile, which it sends elsewhere next, and is kept by nobody else', async () => {
  const server = await start(60_000);
  const [busy, idle] = [new Agent({ keepAlive: true }), new Agent({ keepAlive: true })];
  const kept = await ask(`${server.url}/livez`, idle);
  expect(kept.headers.connection).toBe('keep-alive');
  const answer = ask(`${server.url}/held`, busy);
  await server.asked;
  const stopped = server.stop();
  await server.stopping;
  const late = await ask(`${server.url}/livez`, idle);
  expect([late.statusCode, late.headers.connection]).toEqual([200, 'close']);
  server.release();
  expect((await answer).statusCode).toBe(200);
  await stopped;
  await expect(ask(`${server.url}/livez`, idle)).rejects.toThrow();
});

it('is there for callers that come one after the other until none does, and sends them elsewhere', async () => {
  const server = await start(60_000);
  server.release();
  const agent = new Agent({ keepAlive: true });
  expect((await ask(`${server.url}/livez`, agent)).headers.connection).toBe('keep-alive');
  let stopped = false;
  const stopping = server.stop().then(() => {
    stopped = true;
  });
  // On the connection that is there, then on new ones.
  for (let calls = 0; calls < 5; calls += 1)
    expect((await ask(`${server.url}/livez`, agent)).headers.connection).toBe('close');
  expect(stopped).toBe(false);
  await stopping;
});

it('cuts off what does not end in time', async () => {
  const server = await start(50);
  const answer = ask(`${server.url}/held`, new Agent());
  const cut = expect(answer).rejects.toThrow('socket hang up');
  await server.asked;
  const stopped = server.stop();
  await cut;
  server.release();
  await stopped;
});
