/** The process of the fetcher alone. */
import { createLogger, runService } from '@mailstream/runtime';
import { startFetcher } from './service.ts';

const logger = createLogger('provider-fetcher');

await runService(logger, startFetcher);
