/** The provider fetcher: the edge to mail providers. Does fetch jobs and watches accounts; keeps no state. */
import { connectBus, createFindApiKey } from '@mailstream/bus';
import { createProviders } from '@mailstream/providers';
import {
  createAuthenticate,
  createHttpServer,
  type Environment,
  httpPart,
  probesOf,
  type Service,
  type ServiceKit,
} from '@mailstream/runtime';
import { readConfig } from './config.ts';
import { createJobConsumers } from './jobs.ts';
import { observeQuotas } from './quota-metrics.ts';
import { createSessions } from './sessions.ts';
import { createSubscriptionConsumers } from './subscriptions.ts';
import { createWatchers } from './watch.ts';

/** Opens what it needs and wires its parts; `source` is the environment it reads, the process's own when absent. */
export async function startFetcher(
  { logger, metrics, health }: ServiceKit,
  source?: Environment,
): Promise<Service> {
  const config = readConfig(source);
  const bus = await connectBus({ ...config.nats, name: 'provider-fetcher', logger });
  health.need('nats', () => bus.connected());
  await bus.waitForTopology();

  const providers = createProviders(config.providers);
  const sessions = createSessions({ bus, providers, logger, idleMs: config.sessionIdleMs });

  observeQuotas(metrics, providers);

  const app = await createHttpServer({
    title: 'Mailstream provider fetcher',
    logger,
    metrics,
    authenticate: createAuthenticate(config.auth, createFindApiKey(bus)),
    ...probesOf(health),
  });
  return {
    parts: [
      sessions.part,
      ...createJobConsumers({ bus, metrics, sessions, logger, providers, concurrency: config.concurrency }),
      ...createSubscriptionConsumers({ bus, sessions, logger, providers }),
      ...createWatchers({ bus, sessions, logger, providers, capacity: config.watches }),
      httpPart(app, config.http),
    ],
    close: [() => bus.close()],
  };
}
