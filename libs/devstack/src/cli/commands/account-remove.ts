/** `account remove`. */
import { setTimeout as wait } from 'node:timers/promises';
import { Account, type RemovalStep } from '@mailstream/contracts';
import { findAccount, listAccounts } from '../accounts.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';

/** What is true when a step is done. */
const DONE: Record<RemovalStep, string> = {
  jobs: 'nothing fetches or watches it any more',
  subscription: 'its provider notifies no more',
  credential: 'its credential and the key it was sealed with are destroyed',
  told: 'the log was told',
  view: 'its messages are deleted from the view',
  schedules: 'its schedules are cancelled',
  log: 'its events are deleted from the log and the change stream',
};
const LOOK_MS = 250;

export const accountRemove: Command = {
  name: 'account remove',
  summary: 'Forget an account: its credentials and its messages here; the mailbox itself is not touched',
  usage: `<account>

Shows each step when it is done. Ctrl-C only stops the showing: the rest is done by the services.`,
  async run(args, context) {
    const { positionals } = parse(args, {}, ['<account>']);
    const api = context.api();
    const { id, name } = await findAccount(api, positionals[0] ?? '');
    let account: Account | undefined = await api.send(Account, 'DELETE', `/v1/accounts/${id}`);
    const shown = new Set<RemovalStep>();
    while (account && !context.signal.aborted) {
      for (const { step, done } of account.removal ?? []) {
        if (!done || shown.has(step)) continue;
        shown.add(step);
        context.out(DONE[step]);
      }
      await wait(LOOK_MS, undefined, { signal: context.signal });
      account = (await listAccounts(api)).find((each) => each.id === id);
    }
    context.out(`"${name}" is removed`);
    return 0;
  },
};
