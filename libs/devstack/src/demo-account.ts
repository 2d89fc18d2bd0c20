/** The demo mailbox: a private Dovecot with generated mail, connected as an account, into which a message arrives every 15 s. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Account, MailboxView, MessageView, pageOf } from '@mailstream/contracts';
import { ImapFlow } from 'imapflow';
import type { Api } from './cli/api.ts';
import { demoMail } from './demo-mail.ts';
import { OWNER } from './demo-text.ts';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { deliver } from './maildir.ts';

/** Both are public: the server listens on this machine only and holds nothing but generated mail. */
export const DEMO_USER = OWNER.address;
export const DEMO_PASSWORD = 'demo';
const DEMO_MESSAGES = 2_000;

const ACCOUNT_NAME = 'demo';
const ARRIVAL_MS = 15_000;

/** Starts the IMAP server; on the first run it fills the mailbox. */
export async function startDemoServer(
  dir: string,
  port: number,
  onProgress: (line: string) => void,
): Promise<Dovecot> {
  const server = await startDovecot({
    dir,
    port,
    users: [{ user: DEMO_USER, password: DEMO_PASSWORD }],
    onProgress,
  });
  const maildir = server.maildir(DEMO_USER);
  if (!existsSync(join(maildir, 'cur'))) {
    const newest = new Date();
    deliver(maildir, demoMail({ seed: 1, count: DEMO_MESSAGES, newest }));
  }
  return server;
}

/** Adds the account, or finds the one of an earlier run and points it to where the server is now. Returns its id. */
export async function connectDemoAccount(api: Api, { host, port }: Dovecot): Promise<string> {
  const settings = { host, port, secure: false, allowPlaintext: true, user: DEMO_USER };
  const credential = { password: DEMO_PASSWORD };
  const { items } = await api.get(pageOf(Account), '/v1/accounts');
  const known = items.find(({ name, provider }) => name === ACCOUNT_NAME && provider === 'imap');
  if (known === undefined) {
    const body = { provider: 'imap', name: ACCOUNT_NAME, settings, credential };
    return (await api.send(Account, 'POST', '/v1/accounts', body)).id;
  }
  const changes = { settings, credential };
  if (!sameValues(known.settings, settings))
    await api.send(Account, 'PATCH', `/v1/accounts/${known.id}`, changes);
  return known.id;
}

export interface Imported {
  /** Messages in the view. */
  readonly count: number;
  readonly newest: readonly MessageView[];
}

/** Waits until the account is imported, `timeoutMs` have passed, or `stop`; then says what is in the view. */
export async function waitForImport(
  api: Api,
  account: string,
  timeoutMs: number,
  stop: AbortSignal,
): Promise<Imported> {
  const deadline = Date.now() + timeoutMs;
  for (let before = -1; ; await sleep(300)) {
    const { state } = await api.get(Account, `/v1/accounts/${account}`);
    const mailboxes = await api.get(pageOf(MailboxView), '/v1/mailboxes', { account });
    const count = mailboxes.items.reduce((sum, { messages }) => sum + messages, 0);
    // The account is live a moment before the last messages are in the view.
    if ((state === 'live' && count === before) || Date.now() > deadline || stop.aborted) {
      const newest = await api.get(pageOf(MessageView), '/v1/messages', { account, limit: 5 });
      return { count, newest: newest.items };
    }
    before = count;
  }
}

/** Appends a new message to the inbox every 15 s, as a mail client would, until told to stop. */
export async function keepMailArriving(server: Dovecot, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(ARRIVAL_MS, undefined, { signal, ref: false }).catch(() => undefined);
    if (signal.aborted) return;
    const now = new Date();
    const [mail] = demoMail({ seed: now.getTime(), count: 1, newest: now, folder: 'INBOX' });
    if (mail !== undefined) await append(server, mail.raw);
  }
}

async function append({ host, port }: Dovecot, raw: Buffer): Promise<void> {
  const auth = { user: DEMO_USER, pass: DEMO_PASSWORD };
  const client = new ImapFlow({ host, port, secure: false, auth, logger: false });
  client.on('error', () => undefined);
  await client.connect();
  await client.append('INBOX', raw);
  await client.logout();
}

function sameValues(a: unknown, b: Readonly<Record<string, unknown>>): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value: unknown): unknown {
  return typeof value === 'object' && value !== null ? Object.entries(value).sort() : value;
}
