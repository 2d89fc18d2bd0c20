/** `parked list`, `show`, `retry` and `drop`: events that could not be used. */
import { ParkedEvent, ParkedRetried, pageOf } from '@mailstream/contracts';
import { Type } from 'typebox';
import { parse, wholeNumber } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { age, printable, table } from '../format.ts';

export const parkedList: Command = {
  name: 'parked list',
  summary: 'Events that could not be used, newest first',
  usage: `[options]

  --limit <n>      at most so many (1 to 200, default 50)
  --after <next>   the page after this one
  --json           one page as the API gives it: {items, next}`,
  async run(args, context) {
    const { values } = parse(args, {
      limit: { type: 'string', default: '50' },
      after: { type: 'string' },
      json: { type: 'boolean' },
    });
    const limit = wholeNumber('limit', values.limit, { min: 1, max: 200 });
    const page = await context.api().get(pageOf(ParkedEvent), '/v1/parked', { limit, after: values.after });
    if (values.json) {
      context.out(JSON.stringify(page));
      return 0;
    }
    if (page.items.length === 0) context.out('nothing is parked');
    for (const line of parkedTable(page.items, Date.now(), context.width)) context.out(line);
    if (page.next !== null) context.note(`there may be more: --after ${page.next}`);
    return 0;
  },
};

export const parkedShow: Command = {
  name: 'parked show',
  summary: 'One parked event with its content',
  usage: `<id> [--json]

  --json   the event as the API gives it`,
  async run(args, context) {
    const { values, positionals } = parse(args, { json: { type: 'boolean' } }, ['<id>']);
    const event = await context.api().get(ParkedEvent, pathOf(positionals[0]));
    if (values.json) context.out(JSON.stringify(event));
    else for (const line of parkedLines(event)) context.out(line);
    return 0;
  },
};

export const parkedRetry: Command = {
  name: 'parked retry',
  summary: 'Put a parked event back; exit code 1 when it stays parked',
  usage: `<id> [--json]

  --json   what became of it, as the API gives it`,
  async run(args, context) {
    const { values, positionals } = parse(args, { json: { type: 'boolean' } }, ['<id>']);
    const retried = await context.api().send(ParkedRetried, 'POST', `${pathOf(positionals[0])}/retry`);
    context.out(values.json ? JSON.stringify(retried) : retried.message);
    return retried.outcome === 'asked' ? 1 : 0;
  },
};

export const parkedDrop: Command = {
  name: 'parked drop',
  summary: 'Forget a parked event',
  usage: '<id>',
  async run(args, context) {
    const { positionals } = parse(args, {}, ['<id>']);
    await context.api().send(Type.Null(), 'DELETE', pathOf(positionals[0]));
    context.out(`the parked event ${positionals[0]} is dropped`);
    return 0;
  },
};

function pathOf(id = ''): string {
  if (!/^[0-9]{1,16}$/.test(id))
    throw new UsageError(`"${id}" is not the id of a parked event: \`parked list\` shows them`);
  return `/v1/parked/${id}`;
}

export function parkedTable(items: readonly ParkedEvent[], now: number, width: number): string[] {
  const rows = items.map(({ id, parkedAt, stream, reason, subject, detail }) => [
    id,
    `${age(parkedAt, now)} ago`,
    printable(stream),
    printable(reason),
    printable(`${subject}: ${detail}`),
  ]);
  return rows.length === 0 ? [] : table(['ID', 'PARKED', 'STREAM', 'REASON', ''], rows, width);
}

export function parkedLines({ id, payload, truncated, ...about }: ParkedEvent): string[] {
  const content = printable(Buffer.from(payload, 'base64').toString('utf8'));
  return [
    ...table(null, [['id', id], ...Object.entries(about).map(([name, value]) => [name, printable(value)])]),
    ...(content === '' ? ['(no content, or not of this tenant)'] : ['', content]),
    ...(truncated && content !== '' ? ['(the rest was not kept)'] : []),
  ];
}
