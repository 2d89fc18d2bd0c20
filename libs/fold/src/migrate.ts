/** The engine's own tables. */
import { fileURLToPath } from 'node:url';
import { migrate } from '@mailstream/db';
import type { Logger } from '@mailstream/runtime';

/** Brings schema `fold` up to date; every service that folds or has an outbox calls it before it starts. */
export async function migrateFold(databaseUrl: string, logger: Logger): Promise<void> {
  await migrate(databaseUrl, {
    schema: 'fold',
    dir: fileURLToPath(new URL('../migrations', import.meta.url)),
    logger,
  });
}
