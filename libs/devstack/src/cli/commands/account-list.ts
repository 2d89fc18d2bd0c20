/** `account list`. */
import type { Account } from '@mailstream/contracts';
import { describePush, listAccounts } from '../accounts.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { printable, table } from '../format.ts';

export const accountList: Command = {
  name: 'account list',
  summary: 'The accounts and how they are',
  usage: `[--json]

  --json   the accounts as the API gives them`,
  async run(args, context) {
    const { values } = parse(args, { json: { type: 'boolean' } });
    const accounts = await listAccounts(context.api());
    if (values.json) context.out(JSON.stringify(accounts));
    else if (accounts.length === 0)
      context.out('no accounts yet: `npm run mailstream -- account add imap --host … --user …`');
    else for (const line of accountTable(accounts, context.width)) context.out(line);
    return 0;
  },
};

function accountTable(accounts: readonly Account[], width: number): string[] {
  const rows = accounts.map((account) => [
    printable(account.name),
    account.provider,
    account.state,
    `${account.scopesBackfilled}/${account.scopes}`,
    describePush(account).split(' ')[0] ?? '',
    account.id,
    printable(account.failure?.message ?? account.reason ?? ''),
  ]);
  return table(['NAME', 'PROVIDER', 'STATE', 'IMPORTED', 'BY', 'ID', ''], rows, width);
}
