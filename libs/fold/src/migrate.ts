/** The engine's own tables. */
import { fileURLToPath } from 'node:url';
import { migrate, type Schema } from '@mailstream/db';
import type { Logger } from '@mailstream/runtime';

/** What every service that folds or has an outbox needs. */
export const FOLD_SCHEMA: Schema = {
  schema: 'fold',
  dir: fileURLToPath(new URL('../migrations', import.meta.url)),
};

/** Brings it up to date. */
export async function migrateFold(ownerUrl: string, logger: Logger): Promise<void> {
  await migrate(ownerUrl, { ...FOLD_SCHEMA, logger });
}
