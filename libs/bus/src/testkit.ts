/** Small things the bus's own tests share. */
import { uuidv7 } from '@mailstream/contracts';
import { createLogger } from '@mailstream/runtime';

export const silent = createLogger('test', 'silent');

/** An account nobody else uses. */
export const account = () => ({ tenant: 'acme', account: uuidv7() });
