/** Hosts named by others: what is not of the public internet is refused, however it is written and whatever its name resolves to. */

import { createServer, isIPv4, connect as tcp } from 'node:net';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { readEnv } from './env.ts';
import { createReach, isPublic, type LookUp, readPrivateHosts } from './reach.ts';

const PRIVATE = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '100.100.100.200',
  '127.0.0.1',
  '127.255.255.254',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.192',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::7f00:1',
  '::ffff:127.0.0.1',
  '::ffff:a00:1',
  '64:ff9b::10.0.0.1',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::808:808',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
];
const PUBLIC = ['1.1.1.1', '8.8.8.8', '172.32.0.1', '::ffff:8.8.8.8', '64:ff9b::808:808', '2606:4700::1111'];

/** What `net.connect` is given for a name that resolves to these. */
function lookUp(allowed: readonly string[], all: boolean, ...addresses: string[]) {
  const fake: LookUp = (_host, _options, done) =>
    done(
      null,
      addresses.map((address) => ({ address, family: isIPv4(address) ? 4 : 6 })),
    );
  const { lookup } = createReach(allowed, fake);
  return new Promise((answer, reject) => {
    lookup('mail.example.com', { all }, (error, found, family) =>
      error ? reject(error) : answer(all ? found : [found, family]),
    );
  });
}

describe('addresses', () => {
  it.each(PRIVATE)('%s is not of the internet', (address) => {
    expect(isPublic(address)).toBe(false);
  });

  it.each(PUBLIC)('%s is', (address) => {
    expect(isPublic(address)).toBe(true);
  });

  it('the same address in any spelling is judged the same', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a, b, c, d] = address.split('.').map(Number);
        const hex = `${((a! << 8) | b!).toString(16)}:${((c! << 8) | d!).toString(16)}`;
        for (const other of [`::ffff:${address}`, `::ffff:${hex}`, `64:ff9b::${hex}`])
          expect(isPublic(other)).toBe(isPublic(address));
      }),
    );
  });
});

describe('reach', () => {
  it('refuses addresses that are given in place of a name, and says what to do', () => {
    const { admit } = createReach([]);
    for (const host of [...PRIVATE, '[::1]'])
      expect(() => admit(host)).toThrow(expect.objectContaining({ code: 'host.private' }));
    expect(() => admit('127.0.0.1')).toThrow(/MAILSTREAM_PRIVATE_HOSTS/);
    for (const host of [...PUBLIC, 'mail.example.com']) admit(host);
  });

  it('refuses a name as soon as one of its addresses is private, and does not say which', async () => {
    const refused = await lookUp([], true, '8.8.8.8', '10.9.8.7').catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'host.private' });
    expect(String(refused)).not.toContain('10.9.8.7');
    await expect(lookUp([], true)).rejects.toMatchObject({ code: 'host.private' });
    expect(await lookUp([], false, '8.8.8.8', '2606:4700::1111')).toEqual(['8.8.8.8', 4]);
    expect(await lookUp([], true, '8.8.8.8')).toEqual([{ address: '8.8.8.8', family: 4 }]);
  });

  it('lets the networks be reached that the operator names', async () => {
    const allowed = ['10.0.0.0/8', 'fd00::/8', '192.168.1.1'];
    expect(await lookUp(allowed, false, '10.9.8.7')).toEqual(['10.9.8.7', 4]);
    expect(await lookUp(allowed, false, '::ffff:10.9.8.7')).toEqual(['::ffff:10.9.8.7', 6]);
    expect(await lookUp(allowed, false, 'fd12::1')).toEqual(['fd12::1', 6]);
    expect(await lookUp(allowed, false, '192.168.1.1')).toEqual(['192.168.1.1', 4]);
    await expect(lookUp(allowed, false, '192.168.1.2')).rejects.toMatchObject({ code: 'host.private' });
  });

  it('is strict unless it is told otherwise', () => {
    expect(readPrivateHosts(readEnv({}))).toEqual([]);
    expect(readPrivateHosts(readEnv({ MAILSTREAM_PRIVATE_HOSTS: 'allow' }))).toBe('everywhere');
    expect(readPrivateHosts(readEnv({ MAILSTREAM_PRIVATE_HOSTS: '10.0.0.0/8, ::1' }))).toEqual([
      '10.0.0.0/8',
      '::1',
    ]);
    const wrong = readEnv({ MAILSTREAM_PRIVATE_HOSTS: 'mail.internal' });
    readPrivateHosts(wrong);
    expect(() => wrong.check()).toThrow(/MAILSTREAM_PRIVATE_HOSTS/);
  });
});

describe('a connection', () => {
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    socket.destroy();
  });
  afterAll(() => new Promise<unknown>((closed) => server.close(closed)));

  it('to a name that leads to this machine, in any spelling, is never made', async () => {
    const port = await new Promise<number>((listening) =>
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        listening(typeof address === 'object' && address ? address.port : 0);
      }),
    );
    const { lookup } = createReach([]);
    for (const host of ['localhost', '0x7f.1', '2130706433', '127.1']) {
      const error = await new Promise((failed) => {
        const socket = tcp({ host, port, lookup }, () => failed(null));
        socket.once('error', failed);
      });
      expect(error, host).toMatchObject({ code: 'host.private' });
    }
    expect(connections).toBe(0);
  });
});
