/** The tables that this service needs: the fold engine's and its own. */
import { migrate, type Schema } from '@mailstream/db';
import { FOLD_SCHEMA } from '@mailstream/fold';
import type { Logger } from '@mailstream/runtime';

export const ORCHESTRATOR_SCHEMAS: readonly Schema[] = [
  FOLD_SCHEMA,
  { schema: 'control', dir: `${import.meta.dirname}/../migrations` },
];

/** Brings both schemas up to date as their owner; does nothing when they are. */
export async function migrateOrchestrator(ownerUrl: string, logger: Logger): Promise<void> {
  for (const schema of ORCHESTRATOR_SCHEMAS) await migrate(ownerUrl, { ...schema, logger });
}
