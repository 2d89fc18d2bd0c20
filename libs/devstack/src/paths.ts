/** Where things are in this repository. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const REPO_ROOT = fileURLToPath(new URL('../../../', import.meta.url));

/** Downloaded tools; safe to delete at any time. */
export const CACHE_DIR = join(REPO_ROOT, '.cache');

/** The state of `npm start`: databases, streams, demo mail, keys, logs. */
export const STATE_DIR = join(REPO_ROOT, '.mailstream');

/** The secret that tokens of a stack on this machine are signed with. */
export function tokenKeyFile(dir: string = STATE_DIR): string {
  return join(dir, 'token.key');
}
