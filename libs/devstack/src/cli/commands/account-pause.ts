/** `account pause` and `account resume`. */
import { Account } from '@mailstream/contracts';
import { findAccount } from '../accounts.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';

function setter(verb: 'pause' | 'resume', summary: string): Command {
  return {
    name: `account ${verb}`,
    summary,
    usage: '<account>',
    async run(args, context) {
      const { positionals } = parse(args, {}, ['<account>']);
      const api = context.api();
      const { id } = await findAccount(api, positionals[0] ?? '');
      const account = await api.send(Account, 'POST', `/v1/accounts/${id}/${verb}`);
      context.out(`"${account.name}" is ${account.state}`);
      return 0;
    },
  };
}

export const accountPause = setter('pause', 'Stop reading an account; nothing of it is forgotten');
export const accountResume = setter('resume', 'Go on reading where it was paused');
