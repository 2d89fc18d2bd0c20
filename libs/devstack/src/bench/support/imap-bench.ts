/** What the benches of the whole product share: an IMAP server with generated mail, the stack beside it, and clients of both. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Account, type AccountRef } from '@mailstream/contracts';
import { createDb, type Db } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { ImapFlow } from 'imapflow';
import { createApi } from '../../cli/api.ts';
import { type DemoMailOptions, demoMail } from '../../demo-mail.ts';
import { startDovecot } from '../../dovecot.ts';
import { deliver } from '../../maildir.ts';
import { type Stack, startStack } from '../../stack.ts';

const USER = 'bench@example.com';
const PASSWORD = 'bench';
const TOKEN = 'bench';
const WAIT_MS = 120_000;

export interface ImapBench {
  readonly stack: Stack;
  readonly db: Db;
  /** Connects the mailbox as one more account; returns at once. */
  addAccount(): Promise<AccountRef>;
  /** Resolves when everything is imported. */
  untilLive(account: AccountRef): Promise<void>;
  /** An ordinary mail client, logged in. It idles only when told to. */
  openClient(): Promise<ImapFlow>;
  stop(): Promise<void>;
}

export interface ImapBenchOptions {
  /** Puts so much mail into the mailbox before anything starts. */
  readonly mail: Pick<DemoMailOptions, 'count' | 'folder'>;
  /** For the services. */
  readonly env?: Readonly<Record<string, string>>;
}

export async function startImapBench({ mail, env = {} }: ImapBenchOptions): Promise<ImapBench> {
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-bench-'));
  const stops: (() => Promise<void>)[] = [async () => rmSync(dir, { recursive: true, force: true })];
  const stop = async () => {
    for (const one of stops.splice(0).toReversed()) await one();
  };
  try {
    const dovecot = await startDovecot({
      dir: join(dir, 'dovecot'),
      users: [{ user: USER, password: PASSWORD }],
    });
    // Its clean stop takes a second, and nothing of it is kept.
    stops.push(() => dovecot.kill());
    deliver(dovecot.maildir(USER), demoMail({ seed: 1, newest: new Date(), ...mail }));
    const stack = await startStack({ dir, apiToken: TOKEN, env: { LOG_LEVEL: 'warn', ...env } });
    stops.push(() => stack.stop());
    const logger = createLogger('bench', 'silent');
    const db = createDb({ url: stack.databaseUrl, max: 2, applicationName: 'bench', logger });
    stops.push(() => db.close());
    const api = createApi({ url: stack.url, token: TOKEN });
    const { host, port } = dovecot;

    return {
      stack,
      db,
      stop,
      async addAccount() {
        const settings = { host, port, secure: false, allowPlaintext: true, user: USER };
        const body = { provider: 'imap', settings, credential: { password: PASSWORD } };
        const { tenant, id } = await api.send(Account, 'POST', '/v1/accounts', body);
        return { tenant, account: id };
      },
      untilLive: ({ account }) =>
        until(100, async () => (await api.get(Account, `/v1/accounts/${account}`)).state === 'live'),
      async openClient() {
        const auth = { user: USER, pass: PASSWORD };
        const quiet = { logger: false, disableAutoIdle: true, disableCompression: true } as const;
        const client = new ImapFlow({ host, port, secure: false, auth, ...quiet });
        client.on('error', () => undefined);
        await client.connect();
        stops.push(async () => client.close());
        return client;
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Asks every so many milliseconds until the answer is yes; throws after two minutes. */
export async function until(everyMs: number, condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WAIT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not reached within ${WAIT_MS / 1000} s`);
    await sleep(everyMs);
  }
}

/** How many copies of messages the view counts for an account. */
export async function countCopies(db: Db, { account }: AccountRef): Promise<number> {
  const [row] = await db.query<{ copies: number }>(
    'SELECT coalesce(sum(messages), 0)::int AS copies FROM view.mailbox WHERE account = $1',
    [account],
  );
  return row?.copies ?? 0;
}
