/** `webhook add`, `list`, `remove`, `rotate`, `replay` and `resume`: who is told of changes by HTTP. */
import {
  pageOf,
  WebhookCreated,
  WebhookDelivery,
  WebhookEndpoint,
  WebhookRotated,
} from '@mailstream/contracts';
import { Type } from 'typebox';
import { findAccount } from '../accounts.ts';
import type { Api } from '../api.ts';
import { parse, wholeNumber } from '../arguments.ts';
import type { Command, Context } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';
import { age, dateTime, printable, table } from '../format.ts';

const PATH = '/v1/webhook-endpoints';

export const webhookAdd: Command = {
  name: 'webhook add',
  summary: 'Have an address told of changes; its secret is shown this once',
  usage: `<url> [options]

  --types <list>      such as message.created,message.deleted; default: all
  --account <account> of this account only; may be given several times
  --name <name>       for people`,
  async run(args, context) {
    const options = {
      types: { type: 'string' },
      account: { type: 'string', multiple: true },
      name: { type: 'string' },
    } as const;
    const { values, positionals } = parse(args, options, ['<url>']);
    const api = context.api();
    const accounts: string[] = [];
    for (const account of values.account ?? []) accounts.push((await findAccount(api, account)).id);
    const created = await api.send(WebhookCreated, 'POST', PATH, {
      url: positionals[0],
      ...(values.name !== undefined && { name: values.name }),
      ...(values.types !== undefined && { types: values.types.split(',') }),
      ...(accounts.length > 0 && { accounts }),
    });
    context.out(created.secret);
    context.note(
      `${created.id} is told what changes from now on, by Standard Webhooks; keep the secret, it is not shown again`,
    );
    return 0;
  },
};

export const webhookList: Command = {
  name: 'webhook list',
  summary: 'Who is told of changes, and what could not be delivered',
  usage: `[options]

  --dead <id>  what was given up, of one of them
  --json       as the API gives it`,
  async run(args, context) {
    const { values } = parse(args, { json: { type: 'boolean' }, dead: { type: 'string' } });
    const api = context.api();
    if (values.dead !== undefined) return await listDead(context, api, values.dead, values.json ?? false);
    const { items } = await api.get(pageOf(WebhookEndpoint), PATH);
    if (values.json) context.out(JSON.stringify(items));
    else if (items.length === 0) context.out('no webhooks: `webhook add <url>` makes one');
    else for (const line of webhookTable(items, context.width)) context.out(line);
    return 0;
  },
};

async function listDead(context: Context, api: Api, given: string, json: boolean): Promise<number> {
  const { id } = await find(api, given);
  const { items } = await api.get(pageOf(WebhookDelivery), `${PATH}/${id}/deliveries`, { state: 'dead' });
  const rows = items.map((one) => [
    one.event,
    one.type,
    one.lastAt === null ? '' : dateTime(one.lastAt),
    printable(one.error ?? ''),
  ]);
  if (json) context.out(JSON.stringify(items));
  else if (rows.length === 0) context.out('nothing was given up');
  else
    for (const line of table(['CHANGE', 'TYPE', 'LAST TRY', 'WHY'], rows, context.width)) context.out(line);
  return 0;
}

export const webhookRemove: Command = {
  name: 'webhook remove',
  summary: 'Tell an address nothing more',
  usage: '<id>',
  async run(args, context) {
    const { positionals } = parse(args, {}, ['<id>']);
    const api = context.api();
    const { id, url } = await find(api, positionals[0] ?? '');
    await api.send(Type.Null(), 'DELETE', `${PATH}/${id}`);
    context.out(`${printable(url)} is told nothing more`);
    return 0;
  },
};

export const webhookRotate: Command = {
  name: 'webhook rotate',
  summary: 'A new secret; for a while deliveries are signed with the old one, too',
  usage: `<id> [--hours <n>]

  --hours <n>  how long the old one signs, too; default: 24`,
  async run(args, context) {
    const { values, positionals } = parse(args, { hours: { type: 'string' } }, ['<id>']);
    const overlapHours = wholeNumber('hours', values.hours ?? '24', { min: 0, max: 720 });
    const api = context.api();
    const { id } = await find(api, positionals[0] ?? '');
    const rotated = await api.send(WebhookRotated, 'POST', `${PATH}/${id}/rotate`, { overlapHours });
    context.out(rotated.secret);
    context.note(`the old secret signs until ${dateTime(rotated.previousUntil)}, too`);
    return 0;
  },
};

export const webhookReplay: Command = {
  name: 'webhook replay',
  summary: 'Tell an address again what changed since a time',
  usage: `<id> --since <time>

  --since <time>  such as 2026-11-21T08:00:00Z; changes are kept for 30 days`,
  async run(args, context) {
    const { values, positionals } = parse(args, { since: { type: 'string' } }, ['<id>']);
    const since = new Date(values.since ?? '');
    if (Number.isNaN(since.getTime())) throw new UsageError('--since must be a time: 2026-11-21T08:00:00Z');
    const api = context.api();
    const { id, url } = await find(api, positionals[0] ?? '');
    await api.send(WebhookEndpoint, 'POST', `${PATH}/${id}/replay`, { since: since.toISOString() });
    context.out(`${printable(url)} is told again what changed since ${dateTime(since.toISOString())}`);
    return 0;
  },
};

export const webhookResume: Command = {
  name: 'webhook resume',
  summary: 'Let a paused webhook go on; it is told what changed meanwhile',
  usage: '<id>',
  async run(args, context) {
    const { positionals } = parse(args, {}, ['<id>']);
    const api = context.api();
    const { id, url } = await find(api, positionals[0] ?? '');
    await api.send(WebhookEndpoint, 'PATCH', `${PATH}/${id}`, { state: 'active' });
    context.out(`${printable(url)} goes on`);
    return 0;
  },
};

/** By the id or its beginning. */
async function find(api: Api, given: string): Promise<WebhookEndpoint> {
  const { items } = await api.get(pageOf(WebhookEndpoint), PATH);
  const found = items.filter(({ id }) => id.startsWith(given));
  const [only] = found;
  if (only && found.length === 1) return only;
  throw new CliError(
    found.length === 0
      ? `there is no webhook ${given}; \`webhook list\` shows them`
      : `${given} is the beginning of ${found.length} webhooks; give more of the id`,
  );
}

export function webhookTable(
  endpoints: readonly WebhookEndpoint[],
  width: number,
  now = Date.now(),
): string[] {
  const rows = endpoints.map((one) => [
    one.id,
    printable(one.url),
    stateOf(one, now),
    String(one.waiting),
    String(one.dead),
    one.types?.join(',') ?? 'all',
  ]);
  return table(['ID', 'URL', 'STATE', 'WAITING', 'GIVEN UP', 'TYPES'], rows, width);
}

const REASONS: Readonly<Record<string, string>> = {
  asked: 'paused: `webhook resume`',
  gone: 'paused, it answered 410: `webhook resume` when it is back',
  failing: 'paused, three days of failures: `webhook resume` when it works',
};

function stateOf({ state, reason, failingSince, behind, lostAt }: WebhookEndpoint, now: number): string {
  if (state === 'paused') return REASONS[reason ?? ''] ?? 'paused';
  const notes = [
    failingSince !== null && `failing for ${age(failingSince, now)}`,
    behind && 'catching up',
    lostAt !== null && `lost changes at ${dateTime(lostAt)}`,
  ].filter((note) => note !== false);
  return notes.length === 0 ? 'active' : notes.join(', ');
}
