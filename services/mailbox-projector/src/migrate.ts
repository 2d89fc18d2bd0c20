/** The tables that this service needs: the fold engine's and its own. */
import { migrate, type Schema } from '@mailstream/db';
import { FOLD_SCHEMA } from '@mailstream/fold';
import type { Logger } from '@mailstream/runtime';

/** The mailbox view. Its migrations and the projections name its tables without the schema: the connection says which one is meant. */
export const VIEW_SCHEMA: Schema = { schema: 'view', dir: `${import.meta.dirname}/../migrations` };

export const PROJECTOR_SCHEMAS: readonly Schema[] = [FOLD_SCHEMA, VIEW_SCHEMA];

/** Brings both schemas up to date as their owner; does nothing when they are. */
export async function migrateProjector(ownerUrl: string, logger: Logger): Promise<void> {
  for (const schema of PROJECTOR_SCHEMAS) await migrate(ownerUrl, { ...schema, logger });
}
