/** The table of users in ARCHITECTURE.md says what the code grants; filters that reach out of a tenant are none. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isFilterOf } from '../lent-readers.ts';
import type { Grants } from './grants.ts';
import { accountsConfig } from './server-config.ts';
import { GATEWAY, INSIDERS, subscriberGrants } from './users.ts';

const USERS: Record<string, readonly Grants[]> = {
  gateway: GATEWAY,
  ...INSIDERS,
  'a subscriber': subscriberGrants('*'),
};

/** Rows of a table of Markdown by their first cell, without backticks. */
function tableRows(text: string): Map<string, readonly string[]> {
  const rows = text.split('\n').filter((line) => line.startsWith('| '));
  return new Map(
    rows.map((row) => {
      const [first = '', ...others] = row.split('|').slice(1, -1);
      return [first.replaceAll('`', '').trim(), others] as const;
    }),
  );
}

const names = (cell: string) => (cell.match(/`[^`]+`/g) ?? []).map((name) => name.slice(1, -1)).sort();

/** What it sends, and the streams it reads, without how the server is asked for that. */
function summary(grants: readonly Grants[]): { sends: string[]; reads: string[] } {
  const all = [...new Set(grants.flatMap(({ publish }) => publish))];
  const reads = all.flatMap(
    (subject) =>
      /^\$JS\.API\.(?:CONSUMER\.MSG\.NEXT|DIRECT\.GET|STREAM\.MSG\.GET)\.([A-Z]+)/.exec(subject)?.[1] ?? [],
  );
  const sends = all.filter((subject) => !/^(\$JS|_|held\.)/.test(subject));
  return { sends: sends.sort(), reads: [...new Set(reads)].sort() };
}

describe('ARCHITECTURE.md', () => {
  const text = readFileSync(join(import.meta.dirname, '../../../../ARCHITECTURE.md'), 'utf8');
  const rows = tableRows(text.split('## Who may do what on NATS')[1]?.split('\n## ')[0] ?? '');

  it.each(Object.keys(USERS))('says what %s may do', (user) => {
    const [sends = '', reads = ''] = rows.get(user) ?? [];
    expect({ sends: names(sends), reads: names(reads) }).toEqual(summary(USERS[user] ?? []));
  });
});

describe('a filter', () => {
  const tenants = ['acme', 'globex'];
  const token = fc.constantFrom(...tenants, '*', '>', '', 'changes', 'relay', 'message', ' acme');

  it('that a tenant gets matches changes of that tenant only', () => {
    fc.assert(
      fc.property(fc.array(token, { maxLength: 6 }), (tail) => {
        const filter = ['changes', ...tail].join('.');
        if (isFilterOf('acme', filter)) expect(filter).toMatch(/^changes\.acme\../);
      }),
    );
  });

  it.each(['changes.acme.>', 'changes.acme.*.message.created', 'changes.acme.*.*.*'])(
    'may be %s',
    (filter) => {
      expect(isFilterOf('acme', filter)).toBe(true);
    },
  );

  it('is nobody’s when the tenant is a wildcard', () => {
    expect(isFilterOf('*', 'changes.*.>')).toBe(false);
  });
});

it('tenants are in accounts of their own, and import what is theirs', () => {
  const config = accountsConfig([
    { tenant: 'acme', name: 'crm', publicKey: 'UACME' },
    { tenant: 'globex', name: 'crm', publicKey: 'UGLOBEX' },
  ]);
  const [, account = ''] = /"tenant-acme" \{(.*?)\n {2}\}/s.exec(config) ?? [];
  expect(account).toContain('UACME');
  expect(account).toContain('changes.acme.>');
  expect(account).not.toMatch(/globex/i);
});
