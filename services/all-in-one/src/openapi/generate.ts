/** Writes the OpenAPI document beside the other published contracts: a part of `npm run generate`. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openApiDocument } from './document.ts';

const file = fileURLToPath(import.meta.resolve('@mailstream/contracts/openapi.json'));
writeFileSync(file, `${JSON.stringify(await openApiDocument(), null, 2)}\n`);
