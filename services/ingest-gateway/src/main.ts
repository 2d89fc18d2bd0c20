/** The process of the gateway alone. */
import { createLogger, runService } from '@mailstream/runtime';
import { startGateway } from './service.ts';

const logger = createLogger('ingest-gateway');

await runService(logger, startGateway);
