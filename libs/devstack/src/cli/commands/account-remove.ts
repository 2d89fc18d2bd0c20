/** `account remove`. */
import { Type } from 'typebox';
import { findAccount } from '../accounts.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';

export const accountRemove: Command = {
  name: 'account remove',
  summary: 'Forget an account: its credentials and its messages here; the mailbox itself is not touched',
  usage: '<account>',
  async run(args, context) {
    const { positionals } = parse(args, {}, ['<account>']);
    const api = context.api();
    const account = await findAccount(api, positionals[0] ?? '');
    await api.send(Type.Null(), 'DELETE', `/v1/accounts/${account.id}`);
    context.out(`"${account.name}" is removed`);
    return 0;
  },
};
