/** The tables that this service needs: the fold engine's and its own. */
import { migrate } from '@mailstream/db';
import { migrateFold } from '@mailstream/fold';
import type { Logger } from '@mailstream/runtime';

/** Brings both schemas up to date; does nothing when they are. */
export async function migrateOrchestrator(databaseUrl: string, logger: Logger): Promise<void> {
  await migrateFold(databaseUrl, logger);
  await migrate(databaseUrl, { schema: 'control', dir: `${import.meta.dirname}/../migrations`, logger });
}
