import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CHANGES_PROTOCOL } from '@mailstream/contracts';
import { createHttpServer, createLogger } from '@mailstream/runtime';
import { authenticate, tokenOf } from '@mailstream/testing';
import { afterEach, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { isChangesSocket, registerChangesSocket } from './changes-socket.ts';

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const until = (condition: () => void) => vi.waitFor(condition, { timeout: 15_000, interval: 10 });

interface Upstream {
  readonly url: string;
  readonly asked: IncomingMessage[];
  readonly answers: ServerResponse[];
}

/** Stands in for the projector: begins each answer with `{"id":"start"}`; more is written by the test. */
async function startUpstream(status = 200): Promise<Upstream> {
  const asked: IncomingMessage[] = [];
  const answers: ServerResponse[] = [];
  const server: Server = createServer((incoming, answer) => {
    asked.push(incoming);
    answers.push(answer);
    answer.writeHead(status, { 'content-type': 'application/json' });
    if (status === 200) answer.write('{"id":"start"}\n');
    else answer.end(JSON.stringify({ error: { code: 'changes.lost', message: 'take a snapshot' } }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked, answers };
}

async function startGateway(projector: string, slowMs = 30_000) {
  const app = await createHttpServer({
    title: 'test',
    logger: createLogger('test', 'silent'),
    authenticate,
    ready: () => true,
    upgrades: isChangesSocket,
  });
  await registerChangesSocket(app, projector, { slowMs, answerMs: 5_000 });
  closing.push(() => app.close());
  return { app, url: await app.listen({ host: '127.0.0.1', port: 0 }) };
}

const bearer = async (...caller: Parameters<typeof tokenOf>) => ({
  authorization: `Bearer ${await tokenOf(...caller)}`,
});

/** A reader; `ended` is how it ended: a close code, or the status that answered it in place of a WebSocket. */
async function read(url: string, { protocols = [] as string[], headers = {}, autoPong = true, query = '' }) {
  const address = `${url.replace('http', 'ws')}/v1/changes/ws${query}`;
  const socket = new WebSocket(address, protocols, { headers, autoPong });
  closing.push(() => socket.terminate());
  const reading = { socket, messages: [] as string[], ended: 0 };
  socket.on('message', (data) => reading.messages.push(String(data)));
  socket.on('unexpected-response', (_request, { statusCode = 0 }) => {
    reading.ended = statusCode;
  });
  socket.on('close', (code) => {
    reading.ended ||= code;
  });
  socket.on('error', () => undefined);
  return reading;
}

it('tells what the projector tells whoever calls, selected and from where it was asked', async () => {
  const upstream = await startUpstream();
  const { url } = await startGateway(upstream.url);
  const headers = { ...(await bearer()), 'last-event-id': '7_1_x' };
  const reading = await read(url, { headers, query: '?types=message.created&accounts=a' });
  await until(() => expect(reading.messages).toEqual(['{"id":"start"}']));
  const [asked] = upstream.asked;
  expect(asked?.url).toBe('/v1/changes?types=message.created&accounts=a');
  expect(asked?.headers).toMatchObject({ ...headers, accept: expect.stringContaining('ndjson') });
  // Cut where a line is not over, and within a letter.
  const line = Buffer.from('{"id":"1","event":{"subject":"Grüße"}}\n');
  upstream.answers[0]?.write(line.subarray(0, line.indexOf(0xc3) + 1));
  upstream.answers[0]?.write(
    Buffer.concat([line.subarray(line.indexOf(0xc3) + 1), Buffer.from('{"id":"2"}\n')]),
  );
  await until(() =>
    expect(reading.messages.slice(1)).toEqual(['{"id":"1","event":{"subject":"Grüße"}}', '{"id":"2"}']),
  );
});

it('takes the token of a page from the subprotocols, and never says it again', async () => {
  const upstream = await startUpstream();
  const { url } = await startGateway(upstream.url);
  const token = await tokenOf();
  const reading = await read(url, { protocols: [CHANGES_PROTOCOL, `bearer.${token}`] });
  await until(() => expect(reading.messages).toHaveLength(1));
  expect(reading.socket.protocol).toBe(CHANGES_PROTOCOL);
  expect(upstream.asked[0]?.headers.authorization).toBe(`Bearer ${token}`);
  expect(upstream.asked[0]?.headers['sec-websocket-protocol']).toBeUndefined();
});

it('is for callers with the scope only', async () => {
  const { url } = await startGateway((await startUpstream()).url);
  const nobody = await read(url, {});
  const stranger = await read(url, { protocols: [CHANGES_PROTOCOL, 'bearer.nonsense'] });
  const other = await read(url, { headers: await bearer({ scopes: ['admin'] }) });
  await until(() => expect([nobody.ended, stranger.ended, other.ended]).toEqual([401, 401, 403]));
});

it('sends what comes next when the reader has what came before', async () => {
  const upstream = await startUpstream();
  const { url } = await startGateway(upstream.url);
  const pings: Buffer[] = [];
  const reading = await read(url, { headers: await bearer(), autoPong: false });
  reading.socket.on('ping', (data: Buffer) => pings.push(data));
  await until(() => expect(pings).toHaveLength(1));
  const answer = upstream.answers[0];
  await new Promise<void>((resolve) => answer?.write('{"id":"1"}\n{"id":"2"}\n', () => resolve()));
  // A round trip of another kind: had the gateway sent more, it would be here.
  const beside = await read(url, { headers: await bearer() });
  await until(() => expect(beside.messages).toHaveLength(1));
  expect(reading.messages).toEqual(['{"id":"start"}']);
  reading.socket.pong(pings[0]);
  await until(() => expect(reading.messages).toHaveLength(3));
  expect(pings).toHaveLength(2);
});

it('cuts off who takes nothing for too long, and asks the projector for no more', async () => {
  const upstream = await startUpstream();
  const { url } = await startGateway(upstream.url, 100);
  const reading = await read(url, { headers: await bearer(), autoPong: false });
  await until(() => expect(reading.messages).toHaveLength(1));
  await until(() => expect(reading.ended).toBe(1006));
  await until(() => expect(upstream.answers[0]?.destroyed).toBe(true));
});

it('takes for an answer only what answers its own ping', async () => {
  const upstream = await startUpstream();
  const { url } = await startGateway(upstream.url, 300);
  const reading = await read(url, { headers: await bearer(), autoPong: false });
  reading.socket.on('ping', () => reading.socket.pong(Buffer.alloc(8)));
  reading.socket.on('open', () => reading.socket.pong());
  await until(() => expect(reading.messages).toHaveLength(1));
  upstream.answers[0]?.write('{"id":"1"}\n');
  await until(() => expect(reading.ended).toBe(1006));
  expect(reading.messages).toEqual(['{"id":"start"}']);
});

it.each([
  ['{"closing":{"code":"changes.lost","message":"take a snapshot"}}', 4410],
  ['{"closing":{"code":"auth.refused","message":"the token has expired"}}', 4401],
  ['{"closing":{"code":"changes.stopping","message":"connect again"}}', 4503],
])('ends as the projector does: %s', async (line, code) => {
  const upstream = await startUpstream();
  const { url } = await startGateway(upstream.url);
  const reading = await read(url, { headers: await bearer() });
  await until(() => expect(upstream.answers).toHaveLength(1));
  upstream.answers[0]?.end(`{"id":"1"}\n${line}\n`);
  await until(() => expect(reading.ended).toBe(code));
  expect(reading.messages.slice(-2)).toEqual(['{"id":"1"}', line]);
});

it('says in a browser, too, why it does not begin', async () => {
  const refused = await read((await startGateway((await startUpstream(410)).url)).url, {
    headers: await bearer(),
  });
  const alone = await read((await startGateway('http://127.0.0.1:9')).url, { headers: await bearer() });
  await until(() => expect([refused.ended, alone.ended]).toEqual([4410, 4503]));
  expect(JSON.parse(refused.messages[0] ?? '').closing).toEqual({
    code: 'changes.lost',
    message: 'take a snapshot',
  });
  expect(JSON.parse(alone.messages[0] ?? '').closing.code).toBe('gateway.upstream_unreachable');
});

it('says so when the gateway stops', async () => {
  const upstream = await startUpstream();
  const { app, url } = await startGateway(upstream.url);
  const reading = await read(url, { headers: await bearer() });
  await until(() => expect(reading.messages).toHaveLength(1));
  await app.close();
  await until(() => expect(reading.ended).toBe(4503));
  expect(JSON.parse(reading.messages.at(-1) ?? '').closing.code).toBe('changes.stopping');
  expect(upstream.answers[0]?.destroyed).toBe(true);
});

it('leaves other requests to upgrade unheard', async () => {
  const { url } = await startGateway((await startUpstream()).url);
  const headers = { connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c', 'http2-settings': '' };
  const status = await new Promise((resolve, reject) => {
    request(`${url}/livez`, { headers }, (answer) => resolve(answer.resume().statusCode))
      .on('error', reject)
      .end();
  });
  expect(status).toBe(200);
  const plain = await fetch(`${url}/v1/changes/ws`, { headers: await bearer() });
  expect([plain.status, await plain.json()]).toMatchObject([
    400,
    { error: { code: 'changes.no_websocket' } },
  ]);
});
