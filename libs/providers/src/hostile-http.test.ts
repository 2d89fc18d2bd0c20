/** Hostile HTTP servers: floods, bombs, drips and redirects cost one connection, a bounded number of bytes, and a clear error. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { gzipSync } from 'node:zlib';
import { fetchWithin, readEnv, readText } from '@mailstream/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { createGates } from './gate.ts';
import { createGmailClient } from './gmail/client.ts';
import { createLedger } from './gmail/ledger.ts';
import { readQuotaProfile } from './gmail/quota.ts';
import { createGraphClient } from './graph/client.ts';
import { postForm } from './oidc.ts';

const MEBIBYTE = 1024 * 1024;
let server: Server | undefined;
let written = 0;
afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((closed) => server?.close(closed));
});

async function start(answer: RequestListener): Promise<string> {
  written = 0;
  server = createServer(answer);
  await new Promise<void>((listening) => server?.listen(0, '127.0.0.1', listening));
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
}

/** Up to a gigabyte, for as long as it is read. */
const endless: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const chunk = Buffer.alloc(MEBIBYTE, ' ');
  const more = () => {
    while (!response.destroyed && written < 1024 * MEBIBYTE) {
      written += chunk.length;
      if (!response.write(chunk)) return;
    }
  };
  response.on('drain', more);
  more();
};

const packed = gzipSync(Buffer.alloc(40 * MEBIBYTE), { level: 1 });
const bomb: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(packed);
};
const broken: RequestListener = (_request, response) => {
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    .end('not packed');
};
/** A byte now and then: never silent, never done. */
const drip: RequestListener = (_request, response) => {
  response.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => response.write(' '), 20);
  response.on('close', () => clearInterval(timer));
};
const manyHeaders: RequestListener = (_request, response) => {
  response.socket?.end(`HTTP/1.1 200 OK\r\n${'x-more: of it\r\n'.repeat(20_000)}\r\n{}`);
};

const signal = new AbortController().signal;
const QUOTA = readQuotaProfile(readEnv({}));
const shared = { account: 'a', token: async () => 'token', now: Date.now };
const askGmail = (gmailUrl: string, timeoutMs: number) => {
  const ledger = createLedger(QUOTA, Date.now);
  const client = createGmailClient({ ...shared, gmailUrl, ledger, gates: createGates(1), timeoutMs });
  return client.get('labels.list', '/labels', {}, signal);
};
const askGraph = (graphUrl: string, timeoutMs: number) =>
  createGraphClient({ ...shared, graphUrl, owner: '/me', gates: createGates(1), timeoutMs }).get(
    '/mailFolders',
    signal,
  );

describe.each([
  ['gmail', askGmail],
  ['graph', askGraph],
])('the client of %s', (area, ask) => {
  it.each([
    ['floods', endless, 'parse', 'response_too_large'],
    ['sends a bomb', bomb, 'parse', 'response_too_large'],
    ['drips', drip, 'timeout', 'timeout'],
    ['sends headers without end', manyHeaders, 'parse', 'response_too_large'],
    ['packs what cannot be unpacked', broken, 'parse', 'protocol'],
  ])('has a clear error for whoever %s', async (_what, answer, failure, code) => {
    const url = await start(answer);
    const asked = ask(url, failure === 'timeout' ? 300 : 20_000);
    await expect(asked).rejects.toMatchObject({ name: 'ProviderError', failure, code: `${area}.${code}` });
    expect(written).toBeLessThan(80 * MEBIBYTE);
  });

  it('is not sent elsewhere', async () => {
    let requests = 0;
    const url = await start((_request, response) => {
      requests += 1;
      response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data/' }).end();
    });
    await expect(ask(url, 20_000)).rejects.toMatchObject({ name: 'ProviderError' });
    expect(requests).toBe(1);
  });
});

it('keys and tokens are read to a smaller bound', async () => {
  const url = await start(endless);
  await expect(postForm(url, {})).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
  await expect(fetchWithin(1_000, url, {})).rejects.toMatchObject({ code: 'BODY_TOO_LARGE' });
  expect(written).toBeLessThan(80 * MEBIBYTE);
});

it('what is not UTF-8 is read all the same', async () => {
  expect(await readText(new Response(Buffer.from([0xff, 0x7b, 0x00, 0x7d])))).toBe('\ufffd{\0}');
  expect(await readText(new Response(null))).toBe('');
});
