/** The ingest gateway: the one door. Hints go into the log, everything else to the service that knows. */
import { connectBus, createFindApiKey } from '@mailstream/bus';
import { createAuthenticate, createLogger, httpPart, runService } from '@mailstream/runtime';
import { readConfig } from './config.ts';
import { createServer } from './server.ts';

const logger = createLogger('ingest-gateway');

await runService(logger, async () => {
  const config = readConfig();
  const bus = await connectBus({ ...config.nats, name: 'ingest-gateway', logger });
  const { app, receivers } = await createServer({
    bus,
    logger,
    authenticate: createAuthenticate(config.auth, createFindApiKey(bus)),
    upstreams: config.upstreams,
    notificationsConfig: config.notificationsConfig,
    door: config.door,
  });
  return { parts: [...receivers, httpPart(app, config.http)], close: [() => bus.close()] };
});
