/** The four services in one process, for small installations: the same code, streams and databases. */
import { startGateway } from '@mailstream/ingest-gateway';
import { startProjector } from '@mailstream/mailbox-projector';
import { startFetcher } from '@mailstream/provider-fetcher';
import { createLogger, environmentWith, runService } from '@mailstream/runtime';
import { startOrchestrator } from '@mailstream/sync-orchestrator';

// The address that is set is the gateway's; the others listen at their defaults, for this machine only, where it looks for them.
const behind = environmentWith({
  MAILSTREAM_HTTP_HOST: '',
  MAILSTREAM_HTTP_PORT: '',
});
const door = environmentWith({
  MAILSTREAM_ORCHESTRATOR_URL: '',
  MAILSTREAM_PROJECTOR_URL: '',
});

await runService(createLogger('mailstream'), async (kit) => {
  const named = (service: string) => ({ ...kit, logger: createLogger(service) });
  // One after the other: migrations and streams are looked at once each, and what is asked for is there.
  const services = [
    await startOrchestrator(named('sync-orchestrator'), behind),
    await startProjector(named('mailbox-projector'), behind),
    await startFetcher(named('provider-fetcher'), behind),
    await startGateway(named('ingest-gateway'), door),
  ];
  return {
    parts: services.flatMap(({ parts }) => parts),
    close: services.flatMap(({ close }) => close),
  };
});
