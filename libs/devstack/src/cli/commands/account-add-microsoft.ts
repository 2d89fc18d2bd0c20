/** `account add microsoft`: the owner of a mailbox signs in, or an application reads it for itself. */
import { Account } from '@mailstream/contracts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { signIn, WAIT_HELP, WAIT_OPTION } from '../sign-in.ts';
import { firstNews, verdict } from '../verdict.ts';

export const accountAddMicrosoft: Command = {
  name: 'account add microsoft',
  summary: 'Connect a mailbox of Microsoft 365 or Outlook.com',
  usage: `[options]

Its owner signs in with Microsoft, in a browser. With --app nobody does: then an administrator has allowed the application to read it.

${WAIT_HELP}
  --app                 the application reads the mailbox for itself
  --mailbox <address>   with --app: which
  --directory <id>      with --app: id or domain of its directory (tenant); default: the domain of the address
  --name <name>         with --app: what to call the account; default: the address`,
  async run(args, context) {
    const request = readRequest(args);
    if (request.app === null)
      return signIn(
        context,
        '/v1/connect/microsoft',
        ({ provider }) => provider === 'microsoft',
        request.wait,
      );
    const api = context.api();
    const account = await api.send(Account, 'POST', '/v1/accounts', request.app);
    context.out(`added "${account.name}" (${account.id})`);
    const { ok, line } = verdict(await firstNews(api, account, context.signal));
    context.out(line);
    return ok ? 0 : 1;
  },
};

/** What is sent to the API; `app` is null where a person signs in. */
export function readRequest(args: readonly string[]) {
  const { values } = parse(args, {
    ...WAIT_OPTION,
    app: { type: 'boolean' },
    mailbox: { type: 'string' },
    directory: { type: 'string' },
    name: { type: 'string' },
  });
  const { app = false, mailbox, directory, name, wait } = values;
  const others = Object.entries({ mailbox, directory, name }).find(([, value]) => value !== undefined);
  if (!app && others) throw new UsageError(`--${others[0]} goes with --app`);
  if (!app) return { app: null, wait };
  if (mailbox === undefined) throw new UsageError('--mailbox is missing');
  if (wait !== undefined) throw new UsageError('--wait does not go with --app: nobody signs in');
  const settings = { mailbox, ...(directory !== undefined && { directory }) };
  const credential = { kind: 'app' };
  return { app: { provider: 'microsoft', ...(name !== undefined && { name }), settings, credential }, wait };
}
