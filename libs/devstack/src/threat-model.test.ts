/** The threat model names tests that exist, in every row. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { REPO_ROOT } from './paths.ts';

it('every row of THREAT-MODEL.md names its tests, and they are there', () => {
  const text = readFileSync(join(REPO_ROOT, 'THREAT-MODEL.md'), 'utf8');
  const rows = text.split('\n').filter((line) => /^\| (?!attack \|)/.test(line));
  expect(rows.length).toBeGreaterThan(25);
  for (const row of rows) {
    const tests = [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+\.test\.ts)`/g)].map(
      ([, file = '']) => file,
    );
    expect(tests, row).not.toEqual([]);
    for (const file of tests) expect(existsSync(join(REPO_ROOT, file)), file).toBe(true);
  }
});
