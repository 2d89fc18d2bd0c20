/** The process of the orchestrator alone. */
import { createLogger, runService } from '@mailstream/runtime';
import { startOrchestrator } from './service.ts';

const logger = createLogger('sync-orchestrator');

await runService(logger, startOrchestrator);
