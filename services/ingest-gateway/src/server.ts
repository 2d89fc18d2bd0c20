/** The gateway's HTTP server, ready to listen. */
import type { Bus } from '@mailstream/bus';
import {
  type Authenticate,
  createHttpServer,
  createMetrics,
  type HttpServer,
  type Logger,
} from '@mailstream/runtime';
import { createAcceptNotifications } from './accept-notifications.ts';
import type { Upstreams } from './config.ts';
import { createHintWriter } from './hints.ts';
import { createOpenApi } from './openapi.ts';
import { createPushTargets } from './push-targets.ts';
import { registerLandingRoute } from './routes/landing.ts';
import { registerProxyRoutes } from './routes/proxy.ts';
import { registerSyncRoute } from './routes/request-sync.ts';
import { registerWebhookRoutes } from './routes/webhooks.ts';

export interface ServerDeps {
  readonly bus: Pick<Bus, 'publish' | 'publishBatch' | 'last' | 'connected'>;
  readonly logger: Logger;
  readonly authenticate: Authenticate;
  readonly upstreams: Upstreams;
}

export async function createServer(deps: ServerDeps): Promise<HttpServer> {
  const { bus } = deps;
  const metrics = createMetrics();
  const app = await createHttpServer({
    title: 'Mailstream',
    logger: deps.logger,
    authenticate: deps.authenticate,
    ready: () => bus.connected(),
    metrics,
    completeOpenApi: createOpenApi(deps.upstreams),
  });
  registerLandingRoute(app);
  const putHint = createHintWriter(bus);
  registerSyncRoute(app, putHint);
  const accept = createAcceptNotifications({
    findTarget: createPushTargets(bus),
    putHint,
    notifications: metrics.counter(
      'mailstream_notifications_total',
      'Notifications of providers, by what became of them.',
    ),
  });
  await registerWebhookRoutes(app, { bus, accept });
  await registerProxyRoutes(app, deps.upstreams);
  return app;
}
