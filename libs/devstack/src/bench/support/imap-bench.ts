/** The stack beside an IMAP server with generated mail, and clients of both. */
import { join } from 'node:path';
import type { AccountRef } from '@mailstream/contracts';
import { ImapFlow } from 'imapflow';
import { type DemoMailOptions, demoMail } from '../../demo-mail.ts';
import { startDovecot } from '../../dovecot.ts';
import { deliver } from '../../maildir.ts';
import { type Bench, startBench } from './bench.ts';

const USER = 'bench@example.com';
const PASSWORD = 'bench';

export interface ImapBench extends Omit<Bench, 'addAccount' | 'defer'> {
  /** Connects the mailbox as one more account; returns at once. */
  addAccount(): Promise<AccountRef>;
  /** An ordinary mail client, logged in. It idles only when told to. */
  openClient(): Promise<ImapFlow>;
}

export interface ImapBenchOptions {
  /** Puts so much mail into the mailbox before anything starts. */
  readonly mail: Pick<DemoMailOptions, 'count' | 'folder'>;
  /** For the services. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startImapBench({ mail, env = {} }: ImapBenchOptions): Promise<ImapBench> {
  let host = '';
  let port = 0;
  const bench = await startBench(async ({ dir, defer }) => {
    const users = [{ user: USER, password: PASSWORD }];
    const dovecot = await startDovecot({ dir: join(dir, 'dovecot'), users });
    // Its clean stop takes a second, and nothing of it is kept.
    defer(() => dovecot.kill());
    deliver(dovecot.maildir(USER), demoMail({ seed: 1, newest: new Date(), ...mail }));
    ({ host, port } = dovecot);
    return { env };
  });
  return {
    ...bench,
    addAccount: () =>
      bench.addAccount({
        provider: 'imap',
        settings: { host, port, secure: false, allowPlaintext: true, user: USER },
        credential: { password: PASSWORD },
      }),
    async openClient() {
      const auth = { user: USER, pass: PASSWORD };
      const quiet = { logger: false, disableAutoIdle: true, disableCompression: true } as const;
      const client = new ImapFlow({ host, port, secure: false, auth, ...quiet });
      client.on('error', () => undefined);
      await client.connect();
      bench.defer(async () => client.close());
      return client;
    },
  };
}
