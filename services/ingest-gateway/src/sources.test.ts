/** The list of where notifications may come from: any format, read again, and never lost once it was read. */
import { createServer } from 'node:http';
import { expect, it } from 'vitest';
import { createSources, readerOf } from './sources.ts';

const MINUTE = 60_000;
const PUBLISHED = JSON.stringify({
  creationTime: '2026-11-21T10:00:00',
  prefixes: [{ ipv4Prefix: '192.0.2.0/24' }, { ipv6Prefix: '2001:db8::/32' }, { ipv4Prefix: '999.1.1.1/24' }],
});

function start(...texts: (string | null)[]) {
  let time = 0;
  let reads = 0;
  const warnings: unknown[] = [];
  const read = async () => {
    const text = texts[Math.min(reads++, texts.length - 1)] ?? null;
    if (text === null) throw new Error('nobody answers');
    return text;
  };
  const sources = createSources({
    read,
    now: () => time,
    logger: { warn: (...all: unknown[]) => void warnings.push(all) },
  });
  return { sources, warnings, reads: () => reads, pass: (ms: number) => (time += ms) };
}

it('networks are found in whatever they are written in', async () => {
  for (const text of [PUBLISHED, '# ours\n192.0.2.0/24\n2001:db8::/32\n']) {
    const { sources } = start(text);
    expect(await sources('192.0.2.7')).toBe('allowed');
    expect(await sources('::ffff:192.0.2.7')).toBe('allowed');
    expect(await sources('2001:db8::1')).toBe('allowed');
    expect(await sources('192.0.3.1')).toBe('refused');
    expect(await sources('2001:db9::1')).toBe('refused');
  }
});

it('the list is read again, once for all who ask, and kept when it cannot be', async () => {
  const { sources, reads, pass, warnings } = start('192.0.2.0/24', null, '198.51.100.0/24');
  await Promise.all([sources('192.0.2.1'), sources('192.0.2.2'), sources('192.0.2.3')]);
  expect(reads()).toBe(1);
  pass(11 * MINUTE);
  expect(await sources('192.0.2.1')).toBe('allowed');
  await expect.poll(() => warnings.length).toBe(1);
  expect(await sources('192.0.2.1')).toBe('allowed');
  expect(reads()).toBe(2);
  pass(MINUTE);
  await sources('192.0.2.1');
  await expect.poll(() => sources('198.51.100.1')).toBe('allowed');
  expect(await sources('192.0.2.1')).toBe('refused');
});

it('without any list it is not known who may', async () => {
  expect(await start(null).sources('192.0.2.1')).toBe('unknown');
  expect(await start('no networks in here').sources('192.0.2.1')).toBe('unknown');
});

it('a page without end is left', async () => {
  const server = createServer((_request, response) => {
    const more = () => {
      while (!response.destroyed) if (!response.write('192.0.2.0/24 '.repeat(5_000))) return;
    };
    response.on('drain', more);
    more();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  await expect(readerOf(`http://127.0.0.1:${port}/`)()).rejects.toThrow('longer than any list');
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});
