/** The process of the projector alone. */
import { createLogger, runService } from '@mailstream/runtime';
import { startProjector } from './service.ts';

const logger = createLogger('mailbox-projector');

await runService(logger, startProjector);
