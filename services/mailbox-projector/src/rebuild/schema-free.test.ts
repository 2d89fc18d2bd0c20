import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const ROOT = join(import.meta.dirname, '../..');
const NAMED =
  /\b(from|join|into|update|table|on|protect\(')\s*view\.(account|mailbox|message|copy|thread|thread_ref|cursor|run)\b/i;

it('finds no statement of a projection or a migration that names the schema of the live tables: a rebuild would write there', () => {
  const files = ['migrations', 'src/projections'].flatMap((dir) =>
    readdirSync(join(ROOT, dir), { recursive: true, encoding: 'utf8' }).map((name) => join(dir, name)),
  );
  const sources = files.filter((name) => /\.(sql|ts)$/.test(name));
  expect(sources.length).toBeGreaterThan(20);
  expect(sources.filter((name) => NAMED.test(readFileSync(join(ROOT, name), 'utf8')))).toEqual([]);
  expect(NAMED.test('alter table view.account add')).toBe(true);
});
