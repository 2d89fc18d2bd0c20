/** `account add imap`: connects a mailbox and waits to see whether it works. */
import { setTimeout as wait } from 'node:timers/promises';
import { Account } from '@mailstream/contracts';
import type { Api } from '../api.ts';
import { parse, wholeNumber } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { readPassword } from '../password.ts';

/** How long to wait for the first news of the account, milliseconds. */
const PATIENCE_MS = 15_000;
const POLL_MS = 250;

export const accountAddImap: Command = {
  name: 'account add imap',
  summary: 'Connect an IMAP mailbox',
  usage: `--host <host> --user <user> [options]

The password is asked for, or piped in, or taken from MAILSTREAM_PASSWORD.

  --host <host>            name or address of the IMAP server
  --user <user>            whom to log in as
  --port <port>            default 993, with --starttls or --insecure-plaintext 143
  --name <name>            what to call the account; default: the user at the host
  --starttls               begin unencrypted and switch to TLS
  --insecure-plaintext     go on without encryption when the server has no TLS
  --insecure-certificate   accept a certificate that does not verify`,
  async run(args, context) {
    const { request, who } = readRequest(args);
    const api = context.api();
    const password = await readPassword(`Password of ${who}: `, context.signal);
    const account = await api.send(Account, 'POST', '/v1/accounts', { ...request, credential: { password } });
    context.out(`added "${account.name}" (${account.id})`);
    const { ok, line } = verdict(await firstNews(api, account, context.signal));
    context.out(line);
    return ok ? 0 : 1;
  },
};

/** What is sent to the API, without the password. */
export function readRequest(args: readonly string[]) {
  if (args.some((arg) => /^--?p(ass(word)?)?(=|$)/.test(arg)))
    throw new UsageError(
      'the password is never an argument, because everybody on this machine can read those (ps, the shell history): it is asked for, or pipe it in, or set MAILSTREAM_PASSWORD',
    );
  const { values } = parse(args, {
    host: { type: 'string' },
    user: { type: 'string' },
    port: { type: 'string' },
    name: { type: 'string' },
    starttls: { type: 'boolean' },
    'insecure-plaintext': { type: 'boolean' },
    'insecure-certificate': { type: 'boolean' },
  });
  const { host, user, name, port, starttls = false } = values;
  if (!host || !user) throw new UsageError(`--${host ? 'user' : 'host'} is missing`);
  const plaintext = values['insecure-plaintext'] ?? false;
  const settings = {
    host,
    user,
    ...(port !== undefined && { port: wholeNumber('port', port, { min: 1, max: 65_535 }) }),
    secure: !starttls && !plaintext,
    ...(plaintext && { allowPlaintext: true }),
    ...(values['insecure-certificate'] && { allowInvalidCertificate: true }),
  };
  return {
    request: { provider: 'imap', ...(name !== undefined && { name }), settings },
    who: `${user} at ${host}`,
  };
}

/** The account once it is known whether it works, or as it is when patience ends. */
async function firstNews(api: Api, added: Account, signal: AbortSignal): Promise<Account> {
  const deadline = Date.now() + PATIENCE_MS;
  let account = added;
  while (account.state === 'connecting' && account.failure === null && Date.now() < deadline) {
    await wait(POLL_MS, undefined, { signal });
    account = await api.get(Account, `/v1/accounts/${account.id}`);
  }
  return account;
}

/** What became of it, in one line, and whether that is good. */
export function verdict({ state, failure, reason, scopes, scopesBackfilled }: Account): {
  ok: boolean;
  line: string;
} {
  if (failure) {
    const again = state === 'degraded' ? 'It is tried again by itself.' : 'It is not tried again by itself.';
    const tls = failure.code === 'imap.tls_failed' ? ' (see --starttls and the --insecure options)' : '';
    const next = `${again} To give something else, \`account remove\` it and add it anew${tls}.`;
    return { ok: false, line: `it does not work yet: ${failure.message} (${failure.code})\n${next}` };
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
    case 'reauth_required':
    case 'paused':
    case 'removed':
      return { ok: false, line: `it is ${state}${reason ? `: ${reason}` : ''}` };
    default:
      return state satisfies never;
  }
}
