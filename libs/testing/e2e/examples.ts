/** Keeps events of a real run as the examples that `npm run generate` puts into the pages about them. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';

/** Adds those of types that the file has none of, sorted by type. */
export function addExamples(file: string, examples: ReadonlyMap<string, unknown>): void {
  const known: object = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const all = Object.entries({ ...Object.fromEntries(examples), ...known });
  const sorted = Object.fromEntries(all.sort(([a], [b]) => (a < b ? -1 : 1)));
  writeFileSync(file, `${JSON.stringify(sorted, null, 2)}\n`);
}
