/** `sync`. */
import { SyncAccepted } from '@mailstream/contracts';
import { findAccount } from '../accounts.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';

export const sync: Command = {
  name: 'sync',
  summary: 'Look at an account now',
  usage: '--account <account>',
  async run(args, context) {
    const { values } = parse(args, { account: { type: 'string' } });
    if (!values.account) throw new UsageError('--account is missing');
    const api = context.api();
    const { id, name } = await findAccount(api, values.account);
    const { sequence } = await api.send(SyncAccepted, 'POST', `/v1/accounts/${id}/sync`);
    context.out(
      `"${name}" is looked at now (hint ${sequence}); what changed comes with \`changes --follow\``,
    );
    return 0;
  },
};
