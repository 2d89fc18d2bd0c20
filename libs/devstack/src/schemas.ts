/** All that Mailstream has in a database. */
import { join } from 'node:path';
import type { Schema } from '@mailstream/db';
import { REPO_ROOT } from './paths.ts';

/** In the order in which they are made. */
export const SCHEMAS: readonly Schema[] = [
  { schema: 'fold', dir: join(REPO_ROOT, 'libs/fold/migrations') },
  { schema: 'view', dir: join(REPO_ROOT, 'services/mailbox-projector/migrations') },
  { schema: 'control', dir: join(REPO_ROOT, 'services/sync-orchestrator/migrations') },
];
