/** `npm run bench -- <name> [--json]`: runs `bench/<name>.ts`; without a name it lists them. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

const BENCHES = join(import.meta.dirname, 'bench');

const name = process.argv.slice(2).find((argument) => !argument.startsWith('-'));
const names = benchNames();
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- <name> [--json]\nbenches: ${names.join(', ') || 'none yet'}`);
  process.exit(name === undefined ? 0 : 1);
}
process.argv.splice(process.argv.indexOf(name), 1);
await import(join(BENCHES, `${name}.ts`));

function benchNames(): string[] {
  try {
    return readdirSync(BENCHES)
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => file.slice(0, -'.ts'.length))
      .sort();
  } catch {
    return [];
  }
}
