/** `history`: the facts that made a message what it is. */
import { HistoryPage, type HistoryStep, isUuid } from '@mailstream/contracts';
import { parse, wholeNumber } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { dateTime, printable, table } from '../format.ts';

export const history: Command = {
  name: 'history',
  summary: 'What made a message what it is, oldest first',
  usage: `<message id> [options]

  --limit <n>      at most so many (1 to 500, default 100)
  --after <next>   the page after this one
  --json           one page as the API gives it`,
  async run(args, context) {
    const { values, positionals } = parse(
      args,
      { limit: { type: 'string', default: '100' }, after: { type: 'string' }, json: { type: 'boolean' } },
      ['<message id>'],
    );
    const limit = wholeNumber('limit', values.limit, { min: 1, max: 500 });
    const id = positionals[0] ?? '';
    if (!isUuid(id))
      throw new UsageError(`"${id}" is not the id of a message: \`messages --json\` shows them`);
    const path = `/v1/messages/${id}/history`;
    const page = await context.api().get(HistoryPage, path, { limit, after: values.after });
    if (values.json) {
      context.out(JSON.stringify(page));
      return 0;
    }
    for (const line of historyTable(page.items, context.width)) context.out(line);
    if (!page.complete) context.note(`the log reaches back to ${page.logFrom ?? 'nothing'} only`);
    if (page.next !== null) context.note(`there may be more: --after ${page.next}`);
    return 0;
  },
};

export function historyTable(items: readonly HistoryStep[], width: number): string[] {
  const rows = items.map(({ sequence, at, did, by, mailboxes, type }) => [
    sequence,
    dateTime(at),
    did,
    `by ${by}`,
    printable(mailboxes.join(', ')) || '(nowhere)',
    type,
  ]);
  return rows.length === 0 ? [] : table(['FACT', 'STORED', 'SAID', 'KNOWN', 'THEN IN', ''], rows, width);
}
