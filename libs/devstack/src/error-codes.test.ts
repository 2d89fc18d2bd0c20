/** ARCHITECTURE's table of error codes is what the code throws and answers: none is missing there, none is left of what is gone. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REPO_ROOT } from './paths.ts';

const CLASS = "'(?:network|auth|quota|parse|timeout|conflict|gone|permanent|invalid|forbidden|not_found)'";
/** Where a code stands: first in an error or behind its class or status, second in a verdict of a provider, or named. */
const PLACES = new RegExp(
  String.raw`(?:(?:Error|super)\(\s*(?:(?:${CLASS}|\d+),\s*)?|${CLASS},\s*|\bcode: )'([a-z_]+\.[a-z_]+)'`,
  'g',
);

const source = globSync('{libs,services}/*/src/**/*.ts', { cwd: REPO_ROOT })
  .filter((file) => !/\.test\.ts$|\/testkit|^libs\/(simulators|testing)\//.test(file))
  .map((file) => readFileSync(join(REPO_ROOT, file), 'utf8'))
  .join('\n');

/** `area.what`, whole or as the table shortens it: a row is of one area, or names the area with each code. */
function documented(): Set<string> {
  const page = readFileSync(join(REPO_ROOT, 'ARCHITECTURE.md'), 'utf8');
  const table = page.split('\n## Error codes\n')[1]?.split('\n## ')[0] ?? '';
  const rows = table.split('\n').filter((line) => line.startsWith('| `'));
  return new Set(
    rows.flatMap((row) => {
      const [, areas = '', codes = ''] = row.split('|');
      const [area] = names(areas);
      return names(codes).map((code) => (code.includes('.') ? code : `${area}.${code}`));
    }),
  );
}

function names(cell: string): string[] {
  return [...cell.matchAll(/`([a-z_.]+)`/g)].map(([, name = '']) => name);
}

it('each code is in the table', () => {
  const used = new Set([...source.matchAll(PLACES)].map(([, code = '']) => code));
  expect(used.size).toBeGreaterThan(150);
  expect([...used].filter((code) => !documented().has(code)).sort()).toEqual([]);
});

it('each of the table is in the code', () => {
  const isUsed = (code: string) => source.includes(`'${code}'`) || source.includes(`'${code.split('.')[1]}'`);
  expect([...documented()].filter((code) => !isUsed(code))).toEqual([]);
});
