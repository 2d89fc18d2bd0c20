/** What is written down about the chart is what it has: variables, values, their schema, examples. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { flawsOf } from './schemas.ts';
import { readersOfVariables } from './services.ts';

const K8S = fileURLToPath(new URL('../', import.meta.url));
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const read = (path: string) => readFileSync(`${K8S}${path}`, 'utf8');
const values = parse(read('mailstream/values.yaml'));

test('files/variables.json says who reads what', () => {
  expect(JSON.parse(read('mailstream/files/variables.json'))).toEqual(readersOfVariables());
});

test('every variable is explained in .env.example', () => {
  const explained = readFileSync(`${ROOT}.env.example`, 'utf8');
  const missing = Object.keys(readersOfVariables()).filter((name) => !explained.includes(`#${name}=`));
  expect(missing).toEqual([]);
});

test('the README has a line for each value, with its default', () => {
  const table = [...read('mailstream/README.md').matchAll(/^\| `([^`]+)` \| (.*?) \| .+ \|$/gm)].map(
    ([, name, value]) => `${name} ${value}`,
  );
  expect(table).toEqual(leavesOf(values).map(([name, value]) => `${name} ${shown(value)}`));
});

test('the schema of the values has every value and no other', () => {
  const schema = JSON.parse(read('mailstream/values.schema.json'));
  const named = ({ $ref }: { $ref?: string }) =>
    $ref ? schema.definitions[$ref.split('/').at(-1) ?? ''] : null;
  const inSchema = (part: Part): string[] => {
    const { properties } = named(part) ?? part;
    return Object.entries<Part>(properties ?? {}).flatMap(([name, below]) => {
      const deeper = inSchema(below);
      return deeper.length === 0 ? [name] : deeper.map((rest) => `${name}.${rest}`);
    });
  };
  interface Part {
    $ref?: string;
    properties?: Record<string, Part>;
  }
  // What is said of one service is in `defaults` or left out.
  const settings = Object.keys(values.defaults);
  const ofService = new RegExp(`^(gateway|orchestrator|fetcher|projector)\\.(${settings.join('|')})$`);
  const known = inSchema(schema).filter((name) => !ofService.test(name));
  const there = leavesOf(values)
    .map(([name]) => name.replace(/^(defaults|fetcher)\.resources\..*/, '$1.resources'))
    .map((name) => name.replace(/^secrets\..*/, 'secrets'))
    .filter((name) => !ofService.test(name) && !['orchestrator', 'projector'].includes(name));
  expect(known.toSorted()).toEqual([...new Set(there)].toSorted());
});

test.each(['postgresql.yaml'])('the objects of examples/%s are ones that Kubernetes would take', (file) => {
  const objects = parseAllDocuments(read(`examples/${file}`)).map((document) => document.toJS());
  expect(objects.length).toBeGreaterThan(0);
  expect(objects.flatMap(flawsOf)).toEqual([]);
});

/** Values by path; what is an empty map, or one of peers, is a value itself. */
function leavesOf(value: unknown, path = ''): [string, unknown][] {
  const inside =
    typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (inside.length === 0) return [[path, value]];
  return inside.flatMap(([name, below]) => leavesOf(below, path ? `${path}.${name}` : name));
}

function shown(value: unknown): string {
  return value === '' ? '' : `\`${JSON.stringify(value).replace(/^"(.*)"$/, '$1')}\``;
}
