/** `audit`: who did what, when, from where. */
import { AuditEntry, pageOf } from '@mailstream/contracts';
import { listAccounts, pickAccount } from '../accounts.ts';
import { parse, wholeNumber } from '../arguments.ts';
import type { Command } from '../command.ts';
import { dateTime, printable, table } from '../format.ts';

export const audit: Command = {
  name: 'audit',
  summary: 'Who did what, when, from where; newest first',
  usage: `[options]

  --account <account>   about one account only; of one that was removed: its id
  --action <action>     of one kind, for example account.connected or credential.used
  --actor <actor>       by one subject, API key or fetcher
  --limit <n>           at most so many (1 to 500, default 50)
  --json                one page as the API gives it: {items, next}
  --after <next>        the page after this one`,
  async run(args, context) {
    const { values } = parse(args, {
      account: { type: 'string' },
      action: { type: 'string' },
      actor: { type: 'string' },
      limit: { type: 'string', default: '50' },
      after: { type: 'string' },
      json: { type: 'boolean' },
    });
    const limit = wholeNumber('limit', values.limit, { min: 1, max: 500 });
    const api = context.api();
    const accounts = await listAccounts(api);
    const { account, action, actor, after } = values;
    const page = await api.get(pageOf(AuditEntry), '/v1/audit', {
      account: account === undefined || UUID.test(account) ? account : pickAccount(accounts, account).id,
      action,
      actor,
      after,
      limit,
    });
    if (values.json) {
      context.out(JSON.stringify(page));
      return 0;
    }
    const names = new Map(accounts.map(({ id, name }) => [id, name]));
    if (page.items.length === 0) context.out('nothing');
    for (const line of auditTable(page.items, names, context.width)) context.out(line);
    if (page.next !== null) context.note(`there are more: --limit, or --after ${page.next}`);
    return 0;
  },
};

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `names`: of the accounts there are; any other is shown by its id. */
export function auditTable(
  items: readonly AuditEntry[],
  names: ReadonlyMap<string, string>,
  width: number,
): string[] {
  const rows = items.map(({ at, actor, ip, action, account, detail }) => [
    dateTime(at),
    printable(actor),
    printable(ip ?? ''),
    action,
    printable(account === null ? '' : (names.get(account) ?? account)),
    printable(detailOf(detail)),
  ]);
  return table(null, rows, width);
}

function detailOf(detail: unknown): string {
  return Object.entries(Object(detail))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(' ');
}
