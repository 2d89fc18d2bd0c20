import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import asyncapi from '@asyncapi/specs';
import { Compile } from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import { CATALOG, validatorOf } from './catalog.ts';
import { asyncApiDocument } from './generate-asyncapi.ts';
import { generatedFiles } from './generate-files.ts';
import { EXAMPLES } from './generate-pages.ts';

const GENERATE = '`npm run generate`';
const committed = join(import.meta.dirname, '../generated');
const files = [...generatedFiles()];
/** A hint is its subject: there is nothing in it to show. */
const WITHOUT_EXAMPLE = ['mailstream.sync.requested.v1'];

describe('what is on the wire', () => {
  it.each(files)('%s is as committed', (path, text) => {
    const file = join(committed, path);
    expect(
      existsSync(file) ? readFileSync(file, 'utf8') : null,
      `${path} changed, and others depend on it: make the change additive or bump the version of the type; then run ${GENERATE}`,
    ).toBe(text);
  });

  it('has no committed file that the catalogue does not make', () => {
    const found = readdirSync(committed, { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && entry.name !== 'openapi.json',
    );
    expect(
      found.length,
      `a type is gone from the catalogue, but the log may hold its events for ever: keep it, or run ${GENERATE}`,
    ).toBe(files.length);
  });
});

describe('the examples', () => {
  it.each([...EXAMPLES])('%s is what its schema says', (type, example) => {
    expect(validatorOf(type)?.Errors(example)).toEqual([]);
  });

  it('are there for all types', () => {
    const without = CATALOG.map(({ type }) => type).filter((type) => !EXAMPLES.has(type));
    expect(
      without,
      'let an end-to-end test bring one about, and keep it: CONTRIBUTING, "Changing an event"',
    ).toEqual(WITHOUT_EXAMPLE);
  });
});

describe('the AsyncAPI document', () => {
  const document = asyncApiDocument();

  it('is valid by the official schema of AsyncAPI 3.0', () => {
    const [valid, errors] = Compile(asyncapi.schemasWithoutId['3.0.0']).Errors(document);
    expect(errors).toEqual([]);
    expect(valid).toBe(true);
  });

  it('refers only to what exists', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(
      ([, ref = '']) => ref,
    );
    expect(references.length).toBeGreaterThan(0);
    for (const reference of references) expect(resolves(document, reference), reference).toBe(true);
  });
});

function resolves(document: unknown, reference: string): boolean {
  if (reference.startsWith('./')) return existsSync(join(committed, reference));
  let at = document;
  for (const key of reference.split('/').slice(1)) {
    if (typeof at !== 'object' || at === null || !(key in at)) return false;
    at = Object.entries(at).find(([name]) => name === key)?.[1];
  }
  return reference.startsWith('#/');
}
