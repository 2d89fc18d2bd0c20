/** The demo IMAP mailbox: a private Dovecot with generated mail. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ImapFlow } from 'imapflow';
import { DEMO_MESSAGES, type Demo } from './demo.ts';
import { demoMail } from './demo-mail.ts';
import { OWNER } from './demo-text.ts';
import { type Dovecot, startDovecot } from './dovecot.ts';
import { deliver } from './maildir.ts';

const USER = OWNER.address;
const PASSWORD = 'demo';

/** Starts the IMAP server; on the first run it fills the mailbox. */
export async function startDemoImap(
  dir: string,
  port: number,
  onProgress: (line: string) => void,
): Promise<Demo> {
  const users = [{ user: USER, password: PASSWORD }];
  const server = await startDovecot({ dir, port, users, onProgress });
  const maildir = server.maildir(USER);
  if (!existsSync(join(maildir, 'cur')))
    deliver(maildir, demoMail({ seed: 1, count: DEMO_MESSAGES, newest: new Date() }));
  const { host } = server;
  return {
    name: 'demo-imap',
    account: {
      provider: 'imap',
      settings: { host, port: server.port, secure: false, allowPlaintext: true, user: USER },
      credential: { password: PASSWORD },
    },
    callsPublicUrl: false,
    env: {},
    howToChange: [`IMAP ${host}:${server.port} without TLS, user ${USER}, password ${PASSWORD}`],
    child: server.child,
    async arrive() {
      const now = new Date();
      const [mail] = demoMail({ seed: now.getTime(), count: 1, newest: now, folder: 'INBOX' });
      if (mail !== undefined) await append(server, mail.raw);
    },
    stop: () => server.stop(),
  };
}

/** As a mail client would. */
async function append({ host, port }: Dovecot, raw: Buffer): Promise<void> {
  const auth = { user: USER, pass: PASSWORD };
  const client = new ImapFlow({ host, port, secure: false, auth, logger: false });
  client.on('error', () => undefined);
  await client.connect();
  await client.append('INBOX', raw);
  await client.logout();
}
