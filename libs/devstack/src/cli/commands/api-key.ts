/** `api-key create`, `list` and `revoke`: keys for machines that call the API. */
import { ApiKey, ApiKeyCreated, pageOf } from '@mailstream/contracts';
import { Type } from 'typebox';
import { parse, wholeNumber } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';
import { age, dateTime, printable, table } from '../format.ts';
import { readScopes, SCOPES_USAGE } from '../scopes.ts';

const DAY_MS = 86_400_000;

export const apiKeyCreate: Command = {
  name: 'api-key create',
  summary: 'Make an API key for a program; it is shown this once',
  usage: `--name <name> --scopes <list> [options]

  --name <name>     what it is for
  ${SCOPES_USAGE}
  --days <n>        how long it lasts; default: until it is revoked
  --json            the key as the API gives it`,
  async run(args, context) {
    const { values } = parse(args, {
      name: { type: 'string' },
      scopes: { type: 'string' },
      days: { type: 'string' },
      json: { type: 'boolean' },
    });
    if (!values.name) throw new UsageError('--name is missing');
    const scopes = readScopes(values.scopes);
    const days = values.days === undefined ? null : wholeNumber('days', values.days, { min: 1, max: 3_650 });
    const created = await context.api().send(ApiKeyCreated, 'POST', '/v1/api-keys', {
      name: values.name,
      scopes,
      ...(days !== null && { expiresAt: new Date(Date.now() + days * DAY_MS).toISOString() }),
    });
    context.out(values.json ? JSON.stringify(created) : created.key);
    context.note(
      `keep it now, it is not shown again; \`api-key revoke ${created.prefix}\` ends it within five seconds`,
    );
    return 0;
  },
};

export const apiKeyList: Command = {
  name: 'api-key list',
  summary: 'The API keys of the tenant',
  usage: `[--json]

  --json   the keys as the API gives them`,
  async run(args, context) {
    const { values } = parse(args, { json: { type: 'boolean' } });
    const { items } = await context.api().get(pageOf(ApiKey), '/v1/api-keys');
    if (values.json) context.out(JSON.stringify(items));
    else if (items.length === 0) context.out('no API keys: `api-key create --name … --scopes …` makes one');
    else for (const line of keyTable(items, context.width)) context.out(line);
    return 0;
  },
};

export const apiKeyRevoke: Command = {
  name: 'api-key revoke',
  summary: 'End an API key; it stops working within five seconds',
  usage: '<prefix>',
  async run(args, context) {
    const { positionals } = parse(args, {}, ['<prefix>']);
    const [given = ''] = positionals;
    // Also when the whole key is pasted: what it begins with names it.
    const prefix = /^ms_([0-9a-f]{12})_/.exec(given)?.[1] ?? given;
    await context.api().send(Type.Null(), 'DELETE', `/v1/api-keys/${encodeURIComponent(prefix)}`);
    context.out(`the API key ${prefix} is revoked`);
    return 0;
  },
};

function keyTable(keys: readonly ApiKey[], width: number): string[] {
  const rows = keys.map((key) => [
    key.prefix,
    printable(key.name),
    key.lastUsedAt === null ? 'never' : `${age(key.lastUsedAt, Date.now())} ago`,
    key.expiresAt === null ? 'never' : dateTime(key.expiresAt),
    printable(key.createdBy),
    key.scopes.join(' '),
  ]);
  return table(['PREFIX', 'NAME', 'USED', 'EXPIRES', 'MADE BY', 'SCOPES'], rows, width);
}
