import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createReach, type PrivateHosts } from '@mailstream/runtime';
import { afterEach, describe, expect, it } from 'vitest';
import { createPost } from './post.ts';

const open: Server[] = [];
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => answer(response));
  open.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return `http://127.0.0.1:${port}/hook`;
}

function post(url: string, allowed: PrivateHosts = 'everywhere', timeoutMs = 5_000) {
  const send = createPost(createReach(allowed), timeoutMs);
  return send(url, { 'x-test': '1' }, Buffer.from('{}'), new AbortController().signal);
}

describe('a delivery', () => {
  it('does not go to private addresses, by number or by name', async () => {
    let asked = 0;
    const url = await serve((response) => {
      asked += 1;
      response.end();
    });
    for (const one of [
      url,
      url.replace('127.0.0.1', 'localhost'),
      url.replace('127.0.0.1', '[::ffff:127.0.0.1]'),
    ])
      expect((await post(one, [])).error).toContain('host.private');
    expect(asked).toBe(0);
    expect((await post(url)).error).toBeNull();
  });

  it('follows no redirect, and says so', async () => {
    const url = await serve((response) =>
      response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    );
    expect(await post(url)).toMatchObject({ status: 302, error: 'HTTP 302 (redirects are not followed)' });
  });

  it('reads little of an answer that does not end', async () => {
    const url = await serve((response) => {
      response.writeHead(500);
      const fill = () => {
        while (!response.destroyed && response.write('x\0\n'.repeat(1_000)));
        response.once('drain', fill);
      };
      fill();
    });
    const { status, error } = await post(url);
    expect(status).toBe(500);
    expect(error).toMatch(/^HTTP 500: x x/);
    expect(error?.length).toBeLessThan(600);
  });

  it('does not wait for ever', async () => {
    const url = await serve(() => undefined);
    expect(await post(url, 'everywhere', 50)).toMatchObject({
      status: null,
      error: 'no answer within 0.05 s',
    });
  });

  it('hears when it is to come back', async () => {
    const url = await serve((response) => response.writeHead(429, { 'retry-after': '120' }).end('slow down'));
    expect(await post(url)).toEqual({ status: 429, error: 'HTTP 429: slow down', retryAfterMs: 120_000 });
  });
});
