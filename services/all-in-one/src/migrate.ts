/** Brings the database up to date and ends: a job to run before a new version of the services. */
import { migrateProjector } from '@mailstream/mailbox-projector/migrate';
import { createLogger, readEnv } from '@mailstream/runtime';
import { migrateOrchestrator } from '@mailstream/sync-orchestrator/migrate';

const logger = createLogger('migrate');
try {
  const env = readEnv();
  const ownerUrl = env.optional('MIGRATION_DATABASE_URL') ?? env.string('DATABASE_URL');
  env.check();
  await migrateOrchestrator(ownerUrl, logger);
  await migrateProjector(ownerUrl, logger);
  logger.info('the database is up to date');
} catch (error) {
  logger.fatal({ err: error }, 'could not migrate');
  process.exitCode = 1;
}
