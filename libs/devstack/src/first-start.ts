/** When a demo mailbox was first made: from the same moment on, the same mail is generated again. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds; remembered in `dir`. */
export function firstStart(dir: string): number {
  const file = join(dir, 'first-start');
  if (!existsSync(file)) writeFileSync(file, String(Date.now()));
  return Number(readFileSync(file, 'utf8'));
}
