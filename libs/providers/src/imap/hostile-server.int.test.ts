/** A server that means harm: whatever it sends, it costs one connection and a clear error, and a bounded amount of bytes. */
import { createServer, type Server, type Socket } from 'node:net';
import { createReach } from '@mailstream/runtime';
import { type ScriptServer, startScriptServer } from '@mailstream/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { neverRenewed } from '../conformance-world.ts';
import { createImap } from './index.ts';
import type { ImapSettings } from './settings.ts';

const MEBIBYTE = 1024 * 1024;
const imap = createImap(createReach('everywhere'));

function connect(port: number, settings: Partial<ImapSettings> = {}) {
  const whole = { host: '127.0.0.1', port, secure: false, user: 'ada', allowPlaintext: true, ...settings };
  const credential = { password: 'hunter2' };
  return imap.connect({
    account: 'a',
    settings: whole,
    credential,
    renew: neverRenewed,
    signal: AbortSignal.timeout(50_000),
  });
}

const ending: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0)) await end();
});

/** Talks to whoever connects as `speak` does; counts what they take. */
async function startRaw(speak: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const heard: string[] = [];
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('data', (data) => heard.push(data.toString('latin1')));
    speak(socket);
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  ending.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((closed) => server.close(closed));
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    heard,
    connections: () => sockets.size,
    closed: () => [...sockets].every((socket) => socket.destroyed),
    sent: () => [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, 0),
  };
}

/** Sends the same again and again for as long as it is read, up to 200 MiB: more than any bound, less than a machine's memory. */
function flood(socket: Socket, text: string) {
  const chunk = text.repeat(Math.ceil(65_536 / text.length));
  const more = () => {
    while (!socket.destroyed && socket.bytesWritten < 200 * MEBIBYTE) if (!socket.write(chunk)) return;
  };
  socket.on('drain', more);
  more();
}

async function script(capability = 'IMAP4rev1'): Promise<ScriptServer> {
  const server = await startScriptServer({ capability });
  ending.push(() => server.close());
  return server;
}

async function pull(port: number, scope = 'k', address: string | null = 'INBOX') {
  const session = await connect(port);
  try {
    const request = {
      scope,
      address,
      cursor: null,
      lane: 'backfill' as const,
      signal: AbortSignal.timeout(50_000),
    };
    for await (const page of session.pull(request)) expect(page.changes.length).toBeLessThan(1_000);
  } finally {
    expect.soft(session.usable()).toBe(false);
    await session.close();
  }
}

describe('while connecting', () => {
  it.each([
    ['a line without an end', 'x', '* OK '],
    ['capabilities without an end', ' A=1', '* PREAUTH [CAPABILITY IMAP4rev1'],
    ['untagged answers without an end', '* OK still busy\r\n', '* OK ready\r\n'],
    ['lists of capabilities without an end', '* CAPABILITY IMAP4rev1 X=1\r\n', '* OK ready\r\n'],
  ])('%s', async (_what, again, first) => {
    const server = await startRaw((socket) => {
      socket.write(first);
      flood(socket, again);
    });
    await expect(connect(server.port)).rejects.toMatchObject({
      name: 'ProviderError',
      failure: 'parse',
      code: 'imap.response_too_large',
    });
    await expect.poll(server.closed).toBe(true);
    expect(server.connections()).toBe(1);
    expect(server.sent()).toBeLessThan(150 * MEBIBYTE);
  });

  it('a greeting that is only bytes', async () => {
    const noise = Buffer.from(Array.from({ length: 4_096 }, (_, at) => (at * 7_919) % 256));
    const server = await startRaw((socket) => void socket.end(noise));
    await expect(connect(server.port)).rejects.toMatchObject({ name: 'ProviderError' });
  });

  it('goodbye at once', async () => {
    const server = await startRaw((socket) => void socket.end('* BYE \0\xff go away\r\n', 'latin1'));
    await expect(connect(server.port)).rejects.toMatchObject({ failure: 'network' });
  });

  it('answers slipped in before TLS begins are not believed, and no password is sent', async () => {
    const server = await startRaw((socket) => {
      socket.write('* OK [CAPABILITY IMAP4rev1 STARTTLS] ready\r\n');
      socket.on('data', (data) => {
        const tag = data.toString('latin1').split(' ')[0];
        if (data.includes('STARTTLS')) socket.write(`${tag} OK go\r\n* PREAUTH welcome\r\n${tag} OK in\r\n`);
        else socket.write(`* CAPABILITY IMAP4rev1 STARTTLS\r\n${tag} OK\r\n`);
      });
    });
    const error = await connect(server.port, { allowPlaintext: false }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'imap.tls_failed' });
    expect(server.heard.join('')).not.toMatch(/LOGIN|AUTHENTICATE|hunter2/);
  });

  it('an end of TLS by PREAUTH: who must be encrypted is not', async () => {
    const server = await startRaw(
      (socket) => void socket.write('* PREAUTH [CAPABILITY IMAP4rev1] welcome\r\n'),
    );
    const error = await connect(server.port, { allowPlaintext: false }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ProviderError' });
    expect(server.heard.join('')).not.toMatch(/LOGIN|EXAMINE|hunter2/);
  });
});

describe('while answering', () => {
  it('a literal of a terabyte is refused when it is announced', async () => {
    const { port, on, mailboxes } = await script();
    Object.assign(mailboxes.get('INBOX') ?? {}, { messages: [{ uid: 1 }], uidNext: 2 });
    on((command) =>
      command.startsWith('UID FETCH') ? ['* 1 FETCH (UID 1 BODY[HEADER] {1099511627776}'] : null,
    );
    await expect(pull(port)).rejects.toMatchObject({ failure: 'parse', code: 'imap.response_too_large' });
  });

  it('a body structure of a hundred thousand levels', async () => {
    const { port, on, mailboxes } = await script();
    Object.assign(mailboxes.get('INBOX') ?? {}, { messages: [{ uid: 1 }], uidNext: 2 });
    const deep = `${'('.repeat(100_000)}${')'.repeat(100_000)}`;
    on((command) =>
      command.startsWith('UID FETCH') ? [`* 1 FETCH (UID 1 BODYSTRUCTURE ${deep})`, 'TAG OK'] : null,
    );
    const session = await connect(port);
    const request = { scope: 'k', address: 'INBOX', cursor: null, lane: 'backfill' as const };
    let pages = 0;
    const pulled = (async () => {
      for await (const _page of session.pull({ ...request, signal: AbortSignal.timeout(20_000) })) pages += 1;
    })().catch((error: unknown) => error);
    const error = await pulled;
    if (error !== undefined) expect(error).toMatchObject({ name: 'ProviderError' });
    else expect(pages).toBeGreaterThan(0);
    await session.close();
  });

  it('a listing without an end', async () => {
    const { port, on } = await script();
    const line = `* LIST () "/" "${'a mailbox with a long name '.repeat(8)}"`;
    on((command, { send }) => {
      if (!command.startsWith('LIST "" "*"')) return null;
      for (let at = 0; at < 60; at++) send(...Array<string>(1_000).fill(line));
      return [];
    });
    await expect(pull(port, 'mailboxes', null)).rejects.toMatchObject({ code: 'imap.response_too_large' });
  });
});

it('whoever waits in IDLE is flooded: the watch ends, and says why', async () => {
  const { port, sessions, commands } = await script('IMAP4rev1 IDLE');
  const session = await connect(port);
  const watching = session.watch?.(() => undefined, AbortSignal.timeout(50_000));
  await expect.poll(() => commands.at(-1)).toBe('IDLE');
  const line = '* OK nothing happened, and it goes on not happening';
  for (const { send } of sessions) for (let at = 0; at < 64; at++) send(...Array<string>(1_000).fill(line));
  await expect(watching).rejects.toMatchObject({ failure: 'parse', code: 'imap.response_too_large' });
  expect(session.usable()).toBe(false);
  await session.close();
});
