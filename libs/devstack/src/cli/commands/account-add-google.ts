/** `account add google`: the owner of a mailbox signs in, or a service account reads it. */
import { Account } from '@mailstream/contracts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { signIn, WAIT_HELP, WAIT_OPTION } from '../sign-in.ts';
import { firstNews, verdict } from '../verdict.ts';

export const accountAddGoogle: Command = {
  name: 'account add google',
  summary: 'Connect a mailbox of Gmail or Google Workspace',
  usage: `[options]

Its owner signs in with Google, in a browser. With --app nobody does: then an administrator of the domain has let the service account read it.

${WAIT_HELP}
  --app                 the service account reads the mailbox
  --mailbox <address>   with --app: which
  --name <name>         with --app: what to call the account; default: the address`,
  async run(args, context) {
    const request = readRequest(args);
    if (request.app === null)
      return signIn(context, '/v1/connect/google', ({ provider }) => provider === 'google', request.wait);
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
    name: { type: 'string' },
  });
  const { app = false, mailbox, name, wait } = values;
  const others = Object.entries({ mailbox, name }).find(([, value]) => value !== undefined);
  if (!app && others) throw new UsageError(`--${others[0]} goes with --app`);
  if (!app) return { app: null, wait };
  if (mailbox === undefined) throw new UsageError('--mailbox is missing');
  if (wait !== undefined) throw new UsageError('--wait does not go with --app: nobody signs in');
  const named = name === undefined ? {} : { name };
  return { app: { provider: 'google', ...named, settings: { mailbox }, credential: { kind: 'app' } }, wait };
}
