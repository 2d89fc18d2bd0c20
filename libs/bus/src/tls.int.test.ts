/** TLS to NATS: whom we trust, and whom not, against the real server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createDevCa } from '@mailstream/simulators';
import { createNats, type TestNats } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectBus } from './index.ts';

/** Its certificate is of `localhost` alone, not of `127.0.0.1`. */
const ours = createDevCa([], ['localhost']);
const dir = mkdtempSync(join(tmpdir(), 'mailstream-tls-'));
let nats: TestNats;
let plain: TestNats;

beforeAll(async () => {
  [nats, plain] = await Promise.all([createNats({ tls: ours }), createNats()]);
});

afterAll(async () => {
  await Promise.all([nats?.drop(), plain?.drop()]);
  rmSync(dir, { recursive: true });
});

function caFile(ca: string): string {
  const file = join(dir, `${ca.length}-${Math.random()}.pem`);
  writeFileSync(file, ca);
  return file;
}

/** The URL by the name that is in the certificate. */
const named = () => nats.url.replace('127.0.0.1', 'localhost');

const connect = (url: string, ca?: string) =>
  connectBus({ url, name: 'tls', ...(ca !== undefined && { caFile: caFile(ca) }) });

describe('a server with TLS', () => {
  it('is trusted by its authority', async () => {
    const bus = await connect(named(), ours.ca);
    await bus.ensureTopology();
    expect((await bus.state('MAIL')).last).toBe(0n);
    await bus.close();
  });

  it('is not trusted by another authority, nor by those that everybody trusts', async () => {
    await expect(connect(named(), createDevCa().ca)).rejects.toMatchObject({ code: 'bus.unreachable' });
    await expect(connect(named())).rejects.toThrow(/certificate/);
    await expect(connect(named().replace('tls:', 'nats:'))).rejects.toThrow(/certificate/);
  });

  it('is not trusted at an address that its certificate does not name', async () => {
    await expect(connect(nats.url, ours.ca)).rejects.toThrow(/127\.0\.0\.1 is not in the cert/);
  });
});

describe('a server without TLS', () => {
  it('is refused when tls:// was asked for', async () => {
    await expect(connect(plain.url.replace('nats:', 'tls:'), ours.ca)).rejects.toThrow(/tls/);
  });
});
