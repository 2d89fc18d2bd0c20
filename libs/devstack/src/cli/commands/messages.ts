/** `messages`: what is in the mailbox view, newest first. */
import { MessageView, pageOf } from '@mailstream/contracts';
import { findAccount } from '../accounts.ts';
import { parse, wholeNumber } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { clip, dateTime, printable, table } from '../format.ts';

export const messages: Command = {
  name: 'messages',
  summary: 'List messages, newest first',
  usage: `[options]

  --account <account>   of one account only
  --mailbox <path>      in one mailbox, for example INBOX
  --unread              only unread ones
  --flagged             only flagged ones
  --from <text>         whose sender has this in name or address
  --text <text>         that have these words
  --at <moment>         as they were at a time (RFC 3339) or a version; with --account, and of the others --mailbox and --unread
  --limit <n>           at most so many (1 to 500, default 20)
  --json                one page as the API gives it: {items, next}
  --after <next>        the page after this one`,
  async run(args, context) {
    const { values } = parse(args, {
      account: { type: 'string' },
      mailbox: { type: 'string' },
      unread: { type: 'boolean' },
      flagged: { type: 'boolean' },
      from: { type: 'string' },
      text: { type: 'string' },
      at: { type: 'string' },
      limit: { type: 'string', default: '20' },
      after: { type: 'string' },
      json: { type: 'boolean' },
    });
    const limit = wholeNumber('limit', values.limit, { min: 1, max: 500 });
    const api = context.api();
    const { account, mailbox, unread, flagged, from, text, after, at } = values;
    if (at !== undefined && (account === undefined || (flagged ?? from ?? text) !== undefined))
      throw new UsageError('--at needs --account, and goes with --mailbox and --unread only');
    const page = await api.get(pageOf(MessageView), at === undefined ? '/v1/messages' : '/v1/past/messages', {
      at,
      account: account === undefined ? undefined : (await findAccount(api, account)).id,
      mailbox,
      unread,
      flagged,
      from,
      text,
      after,
      limit,
    });
    if (values.json) {
      context.out(JSON.stringify(page));
      return 0;
    }
    if (page.items.length === 0) context.out('no messages');
    for (const line of messageTable(page.items, context.width)) context.out(line);
    if (page.next !== null) context.note(`there are more: --limit, or --after ${page.next}`);
    return 0;
  },
};

export function messageTable(items: readonly MessageView[], width: number): string[] {
  const rows = items.map((message) => [
    dateTime(message.receivedAt),
    clip(senderOf(message), 28),
    clip(mailboxesOf(message), 24),
    flagsOf(message.flags),
    printable(message.subject ?? '(no subject)'),
  ]);
  return table(null, rows, width);
}

function senderOf({ from: [first] }: Pick<MessageView, 'from'>): string {
  return printable(first?.name || first?.address || '(nobody)');
}

export function mailboxesOf({ copies }: Pick<MessageView, 'copies'>): string {
  return printable([...new Set(copies.map((copy) => copy.path))].join(', ')) || '-';
}

/** Flags as people look for them: `unread` is said, `seen` is not. */
export function flagsOf(flags: readonly string[]): string {
  const said = flags.filter((flag) => flag !== 'seen').map(printable);
  return (flags.includes('seen') ? said : ['unread', ...said]).join(' ');
}
