/** Every way a connection fails, as the class and code that decide what happens next, and watching until it does. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDovecot } from '@mailstream/devstack';
import { createReach } from '@mailstream/runtime';
import { hasDovecot, plainImap, type ScriptServer, startScriptServer } from '@mailstream/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { neverRenewed } from '../conformance-world.ts';
import type { Session } from '../provider.ts';
import { createImap } from './index.ts';
import type { ImapSettings } from './settings.ts';

const imap = createImap(createReach('everywhere'));
let server: ScriptServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

function connect(settings: Partial<ImapSettings>, password = 'secret', signal = AbortSignal.timeout(10_000)) {
  const whole = { host: '127.0.0.1', secure: false, user: 'ada', allowPlaintext: true, ...settings };
  return imap.connect({
    account: 'a',
    settings: whole,
    credential: { password },
    renew: neverRenewed,
    signal,
  });
}

async function start(capability = 'IMAP4rev1', greeting?: string) {
  server = await startScriptServer({ capability, ...(greeting === undefined ? {} : { greeting }) });
  return server;
}

/** Pages of INBOX from nothing. */
async function pull(session: Session, signal = new AbortController().signal) {
  const pages = [];
  const request = { scope: 'k', address: 'INBOX', cursor: null, lane: 'backfill' as const, signal };
  for await (const page of session.pull(request)) pages.push(page);
  return pages;
}

describe('connecting', () => {
  it.each([
    ['NO [AUTHENTICATIONFAILED] Invalid credentials', 'auth', 'imap.auth_rejected'],
    ['NO Login failed.', 'auth', 'imap.auth_rejected'],
    ['NO [UNAVAILABLE] Temporary authentication failure', 'network', 'imap.unavailable'],
    [
      'NO [UNAVAILABLE] Maximum number of connections from user+IP exceeded (mail_max_userip_connections=10)',
      'quota',
      'imap.too_many_connections',
    ],
    ['NO [ALERT] Too many simultaneous connections. (Failure)', 'quota', 'imap.too_many_connections'],
    ['NO [LIMIT] CAPABILITY Rate limit hit.', 'quota', 'imap.throttled'],
    ['NO [OVERQUOTA] Account exceeded command or bandwidth limits.', 'quota', 'imap.throttled'],
    ['NO [PRIVACYREQUIRED] Plaintext authentication disallowed', 'permanent', 'imap.tls_required'],
  ])('LOGIN answered with %s', async (answer, failure, code) => {
    const { port, on } = await start();
    on((command) => (command.startsWith('LOGIN') ? [`TAG ${answer}`] : null));
    await expect(connect({ port })).rejects.toMatchObject({ name: 'ProviderError', failure, code });
  });

  it('a password never appears in the message', async () => {
    const { port, on } = await start();
    on((command) => (command.startsWith('LOGIN') ? ['TAG NO no'] : null));
    const error = await connect({ port }, 'hunter2').catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('rejected the credentials of ada');
    expect(String(error)).not.toContain('hunter2');
  });

  it('a greeting that says BYE', async () => {
    const { port } = await start('IMAP4rev1', '* BYE Too many connections, try later');
    await expect(connect({ port })).rejects.toMatchObject({
      failure: 'quota',
      code: 'imap.too_many_connections',
    });
  });

  it('nothing listens', async () => {
    const { port, close } = await start();
    await close();
    await expect(connect({ port })).rejects.toMatchObject({
      failure: 'network',
      code: 'imap.connection_refused',
    });
  });

  it('a host that is not of the public internet is never connected to', async () => {
    const { port, sessions } = await start();
    const strict = createImap(createReach([]));
    for (const host of ['127.0.0.1', 'localhost', '127.1']) {
      const settings = { host, port, secure: false, user: 'ada', allowPlaintext: true };
      const request = { account: 'a', settings, credential: { password: 'secret' }, renew: neverRenewed };
      const error = await strict
        .connect({ ...request, signal: AbortSignal.timeout(10_000) })
        .catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ failure: 'permanent', code: 'imap.host_private' });
      expect(String(error)).toContain('MAILSTREAM_PRIVATE_HOSTS');
    }
    expect(sessions.size).toBe(0);
  });

  it('the host has no address', async () => {
    await expect(connect({ host: 'no-such-host.invalid' })).rejects.toMatchObject({
      failure: 'network',
      code: 'imap.host_unknown',
    });
  });

  it('the server offers no STARTTLS, and plain text was not allowed', async () => {
    const { port, commands } = await start();
    const error = await connect({ port, allowPlaintext: false }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'imap.tls_failed' });
    expect(String(error)).toContain('does not offer STARTTLS');
    expect(commands.join()).not.toContain('LOGIN');
  });

  it('TLS is spoken to a port without it', async () => {
    const { port } = await start();
    await expect(connect({ port, secure: true })).rejects.toMatchObject({ code: 'imap.tls_failed' });
  });

  it('is given up when told to', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const address = silent.address();
    const controller = new AbortController();
    const connecting = connect(
      { port: typeof address === 'object' ? (address?.port ?? 0) : 0 },
      'x',
      controller.signal,
    );
    setImmediate(() => controller.abort());
    await expect(connecting).rejects.toMatchObject({ name: 'ProviderError', failure: 'network' });
    silent.close();
  });

  it('settings and credentials that are none', async () => {
    const signal = AbortSignal.timeout(1_000);
    await expect(
      imap.connect({ account: 'a', settings: { host: 1 }, credential: {}, renew: neverRenewed, signal }),
    ).rejects.toMatchObject({
      code: 'imap.settings_invalid',
    });
    const settings = { host: 'imap.example.com', secure: true, user: 'ada' };
    await expect(
      imap.connect({ account: 'a', settings, credential: {}, renew: neverRenewed, signal }),
    ).rejects.toMatchObject({
      code: 'imap.credential_invalid',
    });
    expect(imap.describe(settings)).toBe('ada at imap.example.com');
  });
});

describe('pulling', () => {
  it.each([
    ['TAG OK Success [THROTTLED]', 'quota', 'imap.throttled', 300_000],
    ['TAG NO [OVERQUOTA] Account exceeded command or bandwidth limits.', 'quota', 'imap.throttled', 300_000],
    [
      'TAG BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds',
      'quota',
      'imap.throttled',
      92_415,
    ],
    ['TAG BAD What?', 'parse', 'imap.protocol', null],
    ['TAG NO [INUSE] locked', 'conflict', 'imap.in_use', null],
    ['TAG NO [NOPERM] not yours', 'permanent', 'imap.forbidden', null],
    ['TAG NO [NONEXISTENT] no such mailbox', 'gone', 'imap.mailbox_gone', null],
    ["TAG NO Mailbox doesn't exist: INBOX", 'gone', 'imap.mailbox_gone', null],
    ['* BYE Session expired, please login again', 'network', 'imap.connection_lost', null],
  ])('EXAMINE answered with %s', async (answer, failure, code, retryAfterMs) => {
    const { port, on } = await start();
    const session = await connect({ port });
    on((command, { hangUp, send }) => {
      if (!command.startsWith('EXAMINE')) return null;
      if (!answer.startsWith('*')) return [answer];
      send(answer);
      hangUp();
      return [];
    });
    await expect(pull(session)).rejects.toMatchObject({ name: 'ProviderError', failure, code, retryAfterMs });
    await session.close();
  });

  it.each(['UID SEARCH', 'UID FETCH'])(
    'a failed %s is told, never taken for an empty answer',
    async (verb) => {
      const { port, on, mailboxes } = await start();
      const box = mailboxes.get('INBOX');
      Object.assign(box ?? {}, { messages: [{ uid: 1 }], uidNext: 2 });
      const session = await connect({ port });
      on((command) => (command.startsWith(verb) ? ['TAG NO [OVERQUOTA] later'] : null));
      await expect(pull(session)).rejects.toMatchObject({ failure: 'quota' });
      await session.close();
    },
  );

  it('a connection that breaks in the middle of an answer leaves a session that is not usable', async () => {
    const { port, on, mailboxes } = await start();
    Object.assign(mailboxes.get('INBOX') ?? {}, { messages: [{ uid: 1 }], uidNext: 2 });
    const session = await connect({ port });
    on((command, { hangUp, send }) => {
      if (!command.startsWith('UID FETCH')) return null;
      send('* 1 FETCH (UID 1 FLAGS (');
      hangUp();
      return [];
    });
    await expect(pull(session)).rejects.toMatchObject({ failure: 'network', code: 'imap.connection_lost' });
    expect(session.usable()).toBe(false);
    await session.close();
  });

  it('a lost job ends its command at once', async () => {
    const { port, on } = await start();
    const session = await connect({ port });
    const controller = new AbortController();
    on((command) => {
      if (!command.startsWith('EXAMINE')) return null;
      controller.abort();
      return [];
    });
    await expect(pull(session, controller.signal)).rejects.toMatchObject({ name: 'ProviderError' });
    expect(session.usable()).toBe(false);
    await session.close();
  });
});

describe('watching', () => {
  it('wakes at the start, and for new mail, removals and flags', async () => {
    const { port, sessions } = await start('IMAP4rev1 IDLE');
    const session = await connect({ port });
    const controller = new AbortController();
    const wake = vi.fn();
    const watching = session.watch?.(wake, controller.signal);
    await expect.poll(() => wake.mock.calls.length).toBe(1);
    await expect.poll(() => server?.commands.at(-1)).toBe('IDLE');
    for (const line of ['* 3 EXISTS', '* 1 EXPUNGE', '* 2 FETCH (FLAGS (\\Seen))']) {
      const before = wake.mock.calls.length;
      for (const { send } of sessions) send(line);
      await expect.poll(() => wake.mock.calls.length).toBeGreaterThan(before);
    }
    controller.abort();
    await watching;
    await session.close();
  });

  it('fails when the connection is lost, and ends in peace when it is told to', async () => {
    const { port, sessions, commands } = await start('IMAP4rev1 IDLE');
    const session = await connect({ port });
    const watching = session.watch?.(() => undefined, new AbortController().signal);
    await expect.poll(() => commands.at(-1)).toBe('IDLE');
    for (const { hangUp } of sessions) hangUp();
    await expect(watching).rejects.toMatchObject({ failure: 'network', code: 'imap.connection_lost' });
    await session.close();
  });

  it('where the server cannot idle, it waits to be told to stop', async () => {
    const { port, commands } = await start();
    const session = await connect({ port });
    const controller = new AbortController();
    const watching = session.watch?.(() => undefined, controller.signal);
    await expect.poll(() => commands.at(-1)).toBe('EXAMINE INBOX');
    controller.abort();
    await watching;
  });
});

describe.skipIf(!hasDovecot())('against Dovecot with TLS', () => {
  it('certificates are verified unless that is switched off, and STARTTLS is used', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'mailstream-tls-'));
    const dovecot = await startDovecot({ dir, users: [{ user: 'ada', password: 'secret' }], tls: true });
    try {
      for (const where of [
        { port: dovecot.tlsPort ?? 0, secure: true },
        { port: dovecot.port, secure: false, allowPlaintext: false },
      ]) {
        const refused = await connect(where).catch((error: unknown) => error);
        expect(refused).toMatchObject({ failure: 'network', code: 'imap.tls_failed' });
        const session = await connect({ ...where, allowInvalidCertificate: true });
        expect((await pull(session)).at(-1)).toMatchObject({ done: true });
        await session.close();
        await expect(connect({ ...where, allowInvalidCertificate: true }, 'wrong')).rejects.toMatchObject({
          failure: 'auth',
        });
      }
      const session = await connect({ port: dovecot.port, allowInvalidCertificate: true });
      const woken: number[] = [];
      const controller = new AbortController();
      const watching = session.watch?.(() => void woken.push(Date.now()), controller.signal);
      await expect.poll(() => woken.length).toBe(1);
      const other = await plainImap({
        host: dovecot.host,
        port: dovecot.port,
        user: 'ada',
        password: 'secret',
      });
      await other.command('APPEND INBOX {}', Buffer.from('Subject: hello\r\n\r\n'));
      await expect.poll(() => woken.length, { timeout: 5_000 }).toBeGreaterThan(1);
      other.close();
      controller.abort();
      await watching;
    } finally {
      await dovecot.stop();
      rmSync(dir, { recursive: true, force: true });
    }
  });
});
