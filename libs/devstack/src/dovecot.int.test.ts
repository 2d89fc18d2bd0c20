/** The private Dovecot: it serves what was put into its Maildir, survives kill -9, and can pretend to be a poor server. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasDovecot } from '@mailstream/testing';
import { ImapFlow } from 'imapflow';
import { afterAll, describe, expect, test } from 'vitest';
import { demoMail } from './demo-mail.ts';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { deliver } from './maildir.ts';

const ada = { user: 'ada@mailstream.example', password: 'secret' };

describe.skipIf(!hasDovecot())('Dovecot', () => {
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-dovecot-'));
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  test('serves delivered mail, and the same after kill -9', async () => {
    const first = await startDovecot({ dir: join(dir, 'a'), users: [ada] });
    const mail = [...demoMail({ seed: 7, count: 300, newest: new Date('2026-01-01T12:00:00Z') })];
    deliver(first.maildir(ada.user), mail);

    const before = await list(first);
    for (const { path, messages } of before) {
      expect({ path, messages }).toEqual({
        path,
        messages: mail.filter(({ folder }) => folder === path).length,
      });
    }
    expect(before.map(({ path }) => path)).toContain('Büro & Reisen');

    await first.kill();
    const second = await startDovecot({ dir: join(dir, 'a'), users: [ada], port: first.port });
    expect(await list(second)).toEqual(before);
    await second.stop();
  });

  test('is not kept out of its mail by what a killed process had locked', async () => {
    const options = { dir: join(dir, 'f'), users: [ada] };
    const mail = [...demoMail({ seed: 7, count: 10, newest: new Date('2026-01-01T12:00:00Z') })];
    const first = await startDovecot(options);
    const maildir = first.maildir(ada.user);
    deliver(maildir, mail);
    await list(first);
    await first.kill();
    for (const folder of ['.', '.Sent']) writeFileSync(join(maildir, folder, 'dovecot-uidlist.lock'), '');
    deliver(maildir, mail);
    const second = await startDovecot(options);
    const messages = (await list(second)).map((folder) => folder.messages);
    expect(messages.reduce((sum, count) => sum + count)).toBe(2 * mail.length);
    await second.stop();
  });

  test('announces what it is told to', async () => {
    const poor = await startDovecot({ dir: join(dir, 'b'), users: [ada], capability: 'IMAP4rev1' });
    const client = await connect(poor);
    expect(client.capabilities.has('CONDSTORE')).toBe(false);
    await client.logout();
    await poor.stop();
  });

  test('says so when its port is taken', async () => {
    const first = await startDovecot({ dir: join(dir, 'd'), users: [ada] });
    await expect(startDovecot({ dir: join(dir, 'e'), users: [ada], port: first.port })).rejects.toThrow(
      /already in use/,
    );
    await first.stop();
  });

  test('speaks TLS with its own certificate', async () => {
    const server = await startDovecot({ dir: join(dir, 'c'), users: [ada], tls: true });
    const client = createClient({
      host: server.host,
      port: server.tlsPort!,
      secure: true,
      tls: { ca: server.certificate, servername: 'localhost' },
    });
    await client.connect();
    expect(client.capabilities.has('QRESYNC')).toBe(true);
    await client.logout();
    await server.stop();
  });
});

interface Address {
  readonly host: string;
  readonly port: number;
  readonly secure: boolean;
  readonly tls?: { readonly ca: string; readonly servername: string };
}

function createClient(address: Address): ImapFlow {
  return new ImapFlow({ ...address, auth: { user: ada.user, pass: ada.password }, logger: false });
}

async function connect({ host, port }: Dovecot): Promise<ImapFlow> {
  const client = createClient({ host, port, secure: false });
  await client.connect();
  return client;
}

async function list(server: Dovecot): Promise<{ path: string; messages: number; uidValidity: string }[]> {
  const client = await connect(server);
  const folders = await client.list({ statusQuery: { messages: true, uidValidity: true } });
  await client.logout();
  return folders
    .filter(({ status }) => status !== undefined)
    .map(({ path, status }) => ({
      path,
      messages: status?.messages ?? -1,
      uidValidity: String(status?.uidValidity),
    }));
}
