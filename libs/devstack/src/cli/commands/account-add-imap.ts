/** `account add imap`: connects a mailbox and waits to see whether it works. */
import { Account } from '@mailstream/contracts';
import { parse, wholeNumber } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { readPassword } from '../password.ts';
import { firstNews, verdict } from '../verdict.ts';

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
