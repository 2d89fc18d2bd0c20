/** The ingest gateway: the one door. Hints go into the log, everything else to the service that knows. */
import { connectBus, createFindApiKey } from '@mailstream/bus';
import openApi from '@mailstream/contracts/openapi.json' with { type: 'json' };
import {
  createAuthenticate,
  type Environment,
  httpPart,
  probesOf,
  type Service,
  type ServiceKit,
} from '@mailstream/runtime';
import { readConfig } from './config.ts';
import { createServer } from './server.ts';

/** Opens what it needs and wires its parts; `source` is the environment it reads, the process's own when absent. */
export async function startGateway(
  { logger, metrics, health }: ServiceKit,
  source?: Environment,
): Promise<Service> {
  const config = readConfig(source);
  const bus = await connectBus({ ...config.nats, name: 'ingest-gateway', logger });
  health.need('nats', () => bus.connected());
  const { app, receivers } = await createServer({
    bus,
    logger,
    metrics,
    ...probesOf(health),
    authenticate: createAuthenticate(config.auth, createFindApiKey(bus)),
    upstreams: config.upstreams,
    notificationsConfig: config.notificationsConfig,
    door: config.door,
    openApi,
  });
  return { parts: [...receivers, httpPart(app, config.http)], close: [() => bus.close()] };
}
