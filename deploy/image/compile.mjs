/** Loads every service once while the image is built: V8's compiled code lands in NODE_COMPILE_CACHE, and what cannot be loaded fails the build. */
import { flushCompileCache } from 'node:module';

for (const service of ['ingest-gateway', 'sync-orchestrator', 'provider-fetcher', 'mailbox-projector'])
  await import(`../../services/${service}/src/service.ts`);
await import('../../libs/devstack/src/cli/commands.ts');
flushCompileCache();
