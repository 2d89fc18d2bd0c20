/** The gateway's HTTP server, ready to listen. */
import type { Bus } from '@mailstream/bus';
import { type Authenticate, createHttpServer, type HttpServer, type Logger } from '@mailstream/runtime';
import type { Upstreams } from './config.ts';
import { createOpenApi } from './openapi.ts';
import { registerLandingRoute } from './routes/landing.ts';
import { registerProxyRoutes } from './routes/proxy.ts';
import { registerSyncRoute } from './routes/request-sync.ts';

export interface ServerDeps {
  readonly bus: Pick<Bus, 'publish' | 'connected'>;
  readonly logger: Logger;
  readonly authenticate: Authenticate;
  readonly upstreams: Upstreams;
}

export async function createServer(deps: ServerDeps): Promise<HttpServer> {
  const app = await createHttpServer({
    title: 'Mailstream',
    logger: deps.logger,
    authenticate: deps.authenticate,
    ready: () => deps.bus.connected(),
    completeOpenApi: createOpenApi(deps.upstreams),
  });
  registerLandingRoute(app);
  registerSyncRoute(app, deps);
  await registerProxyRoutes(app, deps.upstreams);
  return app;
}
