/** What became of an account that was just connected. */
import { setTimeout as wait } from 'node:timers/promises';
import { Account } from '@mailstream/contracts';
import type { Api } from './api.ts';

/** How long to wait for the first news of the account, milliseconds. */
const PATIENCE_MS = 15_000;
const POLL_MS = 250;

/** The account once it is known whether it works, or as it is when patience ends. */
export async function firstNews(api: Api, added: Account, signal: AbortSignal): Promise<Account> {
  const deadline = Date.now() + PATIENCE_MS;
  let account = added;
  while (account.state === 'connecting' && account.failure === null && Date.now() < deadline) {
    await wait(POLL_MS, undefined, { signal });
    account = await api.get(Account, `/v1/accounts/${account.id}`);
  }
  return account;
}

/** What became of it, in one line, and whether that is good. */
export function verdict({ id, state, failure, reason, advice, connect, scopes, scopesBackfilled }: Account): {
  ok: boolean;
  line: string;
} {
  if (failure) {
    const again =
      state === 'degraded' || state === 'failed'
        ? 'It is tried again by itself.'
        : 'It is not tried again by itself.';
    const tls = failure.code === 'imap.tls_failed' ? ' (see --starttls and the --insecure options)' : '';
    const mend = connect
      ? `When that is done, \`account reconnect ${id}\`.`
      : `To give something else, \`account remove\` it and add it anew${tls}.`;
    return {
      ok: false,
      line: `it does not work yet: ${failure.message} (${failure.code})\n${again} ${mend}`,
    };
  }
  switch (state) {
    case 'live':
      return { ok: true, line: `it is live: all ${scopes} scopes are read, changes are followed` };
    case 'backfilling':
      return {
        ok: true,
        line: `it works: the import runs (${scopesBackfilled} of ${scopes} scopes are read); \`status\` shows how far it is`,
      };
    case 'connecting':
      return {
        ok: true,
        line: 'nothing was heard of it yet: the server is slow to answer; `status` shows when it is there',
      };
    case 'degraded':
    case 'failed':
    case 'reauth_required':
    case 'paused':
    case 'removing':
    case 'removed':
      return { ok: false, line: `it is ${state}${reason ? `: ${reason}` : ''}\n${advice}` };
    default:
      return state satisfies never;
  }
}
