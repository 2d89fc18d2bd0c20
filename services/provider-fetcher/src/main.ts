/** The provider fetcher: the edge to mail providers. Does fetch jobs and watches accounts; keeps no state. */
import { connectBus, createFindApiKey } from '@mailstream/bus';
import { createProviders } from '@mailstream/providers';
import {
  createAuthenticate,
  createHttpServer,
  createLogger,
  createMetrics,
  httpPart,
  runService,
} from '@mailstream/runtime';
import { readConfig } from './config.ts';
import { createJobConsumers } from './jobs.ts';
import { observeQuotas } from './quota-metrics.ts';
import { createSessions } from './sessions.ts';
import { createSubscriptionConsumers } from './subscriptions.ts';
import { createWatchers } from './watch.ts';

const logger = createLogger('provider-fetcher');

await runService(logger, async () => {
  const config = readConfig();
  const bus = await connectBus({ ...config.nats, name: 'provider-fetcher', logger });
  await bus.ensureTopology({ replicas: config.replicas });

  const providers = createProviders(config.providers);
  const sessions = createSessions({ bus, providers, logger, idleMs: config.sessionIdleMs });

  const metrics = createMetrics();
  observeQuotas(metrics, providers);

  const app = await createHttpServer({
    title: 'Mailstream provider fetcher',
    logger,
    metrics,
    authenticate: createAuthenticate(config.auth, createFindApiKey(bus)),
    ready: () => bus.connected(),
  });
  return {
    parts: [
      sessions.part,
      ...createJobConsumers({ bus, sessions, logger, providers, concurrency: config.concurrency }),
      ...createSubscriptionConsumers({ bus, sessions, logger, providers }),
      ...createWatchers({ bus, sessions, logger, providers, capacity: config.watches }),
      httpPart(app, config.http),
    ],
    close: [() => bus.close()],
  };
});
