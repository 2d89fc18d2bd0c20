/** `account reconnect`: the owner of an account signs in again. */
import { findAccount } from '../accounts.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { CliError } from '../errors.ts';
import { signIn, WAIT_HELP, WAIT_OPTION } from '../sign-in.ts';

export const accountReconnect: Command = {
  name: 'account reconnect',
  summary: 'Let the owner of an account sign in again, after consent has ended; nothing is forgotten',
  usage: `<account> [--wait <seconds>]

${WAIT_HELP}`,
  async run(args, context) {
    const { positionals, values } = parse(args, WAIT_OPTION, ['<account>']);
    const { id, name, connect } = await findAccount(context.api(), positionals[0] ?? '');
    if (connect === null)
      throw new CliError(
        `"${name}" is not an account that somebody signs in for: give it a new credential by PATCH /v1/accounts/${id}`,
      );
    return signIn(context, connect, (account) => account.id === id, values.wait);
  },
};
