/** Writes `libs/contracts/generated` anew from the catalogue, but for the OpenAPI document, which comes from the services' routes: `npm run generate`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles } from './generate-files.ts';

const target = join(import.meta.dirname, '../generated');
for (const part of ['events', 'schemas']) rmSync(join(target, part), { recursive: true, force: true });
for (const [path, text] of generatedFiles()) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), text);
}
