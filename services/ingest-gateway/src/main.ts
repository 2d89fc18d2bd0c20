/** The ingest gateway: the one door. Hints go into the log, everything else to the service that knows. */
import { connectBus } from '@mailstream/bus';
import { createLogger, createTokenAuth, httpPart, runService } from '@mailstream/runtime';
import { readConfig } from './config.ts';
import { createServer } from './server.ts';

const logger = createLogger('ingest-gateway');

await runService(logger, async () => {
  const config = readConfig();
  const bus = await connectBus({ url: config.natsUrl, name: 'ingest-gateway', logger });
  const { app, receivers } = await createServer({
    bus,
    logger,
    authenticate: createTokenAuth(config.apiToken),
    upstreams: config.upstreams,
    notificationsConfig: config.notificationsConfig,
  });
  return { parts: [...receivers, httpPart(app, config.http)], close: [() => bus.close()] };
});
