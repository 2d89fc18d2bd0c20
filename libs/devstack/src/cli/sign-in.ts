/** Signing in with a provider: the browser does it, we wait for what comes of it. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Account } from '@mailstream/contracts';
import { listAccounts } from './accounts.ts';
import { wholeNumber } from './arguments.ts';
import type { Context } from './command.ts';
import { CliError } from './errors.ts';
import { firstNews, verdict } from './verdict.ts';

const POLL_MS = 500;

/** As long as a sign-in may take anyway, seconds. */
const WAIT_SECONDS = 600;

export const WAIT_OPTION = { wait: { type: 'string' } } as const;
export const WAIT_HELP = `  --wait <seconds>      how long to wait for it; default ${WAIT_SECONDS}`;

/**
 * Shows where to sign in, waits until `isMeant` accepts an account that is new or has a new credential, and says what became of it. Returns
 * the exit code. Throws `CliError` when nobody signed in.
 */
export async function signIn(
  { api, out, note, signal }: Context,
  path: string,
  isMeant: (account: Account) => boolean,
  waitFor: string = String(WAIT_SECONDS),
): Promise<number> {
  const seconds = wholeNumber('wait', waitFor, { min: 1, max: WAIT_SECONDS });
  const before = new Map((await listAccounts(api())).map((account) => [account.id, account]));
  const url = await api().redirect(path);
  out(`Open this in a browser, and sign in as the owner of the mailbox:\n\n${url}\n`);
  note('waiting; Ctrl-C stops the waiting only');
  const deadline = Date.now() + seconds * 1_000;
  for (;;) {
    const connected = (await listAccounts(api())).find(
      (account) =>
        isMeant(account) && account.credentialVersion > (before.get(account.id)?.credentialVersion ?? 0),
    );
    if (connected) {
      out(`${before.has(connected.id) ? 'connected again' : 'added'} "${connected.name}" (${connected.id})`);
      const { ok, line } = verdict(await firstNews(api(), connected, signal));
      out(line);
      return ok ? 0 : 1;
    }
    if (Date.now() > deadline)
      throw new CliError(
        `nobody has signed in within ${seconds} s; if the browser shows why, mend that and try again`,
      );
    await wait(POLL_MS, undefined, { signal });
  }
}
