/** Writes `libs/contracts/generated` anew from the catalogue: `npm run generate`. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles } from './generate-files.ts';

const target = join(import.meta.dirname, '../generated');
rmSync(target, { recursive: true, force: true });
for (const [path, text] of generatedFiles()) {
  mkdirSync(dirname(join(target, path)), { recursive: true });
  writeFileSync(join(target, path), text);
}
