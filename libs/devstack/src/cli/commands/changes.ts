/** `changes`: what happens in the mailboxes, as it happens. */
import { findAccount } from '../accounts.ts';
import { parse } from '../arguments.ts';
import { changeLine, isAside } from '../change-line.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { followChanges } from '../follow-changes.ts';
import { clip } from '../format.ts';
import { createMailboxNames } from '../mailbox-names.ts';

export const changes: Command = {
  name: 'changes',
  summary: 'What happens in the mailboxes, as it happens',
  usage: `--follow [options]

  --follow              go on until Ctrl-C
  --account <account>   of one account only
  --since <time>        begin so long ago (30s, 10m, 2h, 7d) or at an RFC 3339 time; default: now
  --all                 threads, counts of mailboxes and completed syncs, too
  --json                each event as it is in the stream, with its sequence, one per line`,
  async run(args, context) {
    const { values } = parse(args, {
      follow: { type: 'boolean' },
      account: { type: 'string' },
      since: { type: 'string' },
      all: { type: 'boolean' },
      json: { type: 'boolean' },
    });
    if (!values.follow)
      throw new UsageError('changes are a stream without an end: say --follow, and Ctrl-C to stop');
    const from = values.since === undefined ? 'now' : startOf(values.since, Date.now()).toISOString();
    const api = context.api();
    const account = values.account === undefined ? null : await findAccount(api, values.account);
    const names = createMailboxNames(api);
    const query = { from, accounts: account?.id };
    context.note(`following ${account ? `"${account.name}"` : 'all accounts'}; Ctrl-C stops`);
    const onLost = (why: string) => context.note(`${why}; going on from there as soon as it can be reached`);
    for await (const { id, event } of followChanges(api, query, context.signal, onLost)) {
      if (!values.all && isAside(event)) continue;
      if (values.json) context.out(JSON.stringify({ sequence: id.split('_')[0], ...event }));
      else context.out(clip(changeLine(event, await names.of(event)), context.width));
    }
    return 0;
  },
};

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** The moment that `--since` means. */
export function startOf(since: string, now: number): Date {
  const [, amount, unit = ''] = /^([0-9]{1,6})([smhd])$/.exec(since) ?? [];
  // Left to itself, Date.parse takes "10" for a month.
  const absolute = /^[0-9]{4}-[0-9]{2}-[0-9]{2}/.test(since) ? Date.parse(since) : Number.NaN;
  const time = amount === undefined ? absolute : now - Number(amount) * (UNITS[unit] ?? 0);
  if (Number.isNaN(time))
    throw new UsageError(`--since must be like 30s, 10m, 2h, 7d or an RFC 3339 time, not "${since}"`);
  return new Date(time);
}
