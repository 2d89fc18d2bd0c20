/** The services' HTTP servers as they are without anything behind them: what their routes say of themselves. */
import { createServer } from '@mailstream/ingest-gateway/server';
import * as projector from '@mailstream/mailbox-projector/routes';
import { readNotificationsConfig } from '@mailstream/providers/webhooks';
import { createHttpServer, createLogger, createMetrics, type HttpServer, readEnv } from '@mailstream/runtime';
import * as orchestrator from '@mailstream/sync-orchestrator/routes';

const logger = createLogger('openapi', 'silent');
const common = { logger, authenticate: unused, ready: unused };

function unused(): never {
  throw new Error('this server only describes itself');
}

export interface Services {
  readonly gateway: HttpServer;
  readonly orchestrator: HttpServer;
  readonly projector: HttpServer;
}

/** Ready to be looked at; nothing listens, and no route answers. */
export async function describedServices(): Promise<Services> {
  const services = {
    gateway: await gateway(),
    orchestrator: await serverOf(orchestrator.registerRoutes),
    projector: await serverOf(projector.registerRoutes),
  };
  for (const app of Object.values(services)) await app.ready();
  return services;
}

async function gateway(): Promise<HttpServer> {
  const { app } = await createServer({
    ...common,
    bus: { publish: unused, publishBatch: unused, schedule: unused, last: unused, connected: unused },
    upstreams: { orchestrator: 'http://orchestrator.example.com', projector: 'http://projector.example.com' },
    notificationsConfig: readNotificationsConfig(readEnv({}), null),
    openApi: {},
  });
  return app;
}

async function serverOf<Deps>(register: (app: HttpServer, deps: Deps) => void): Promise<HttpServer> {
  const app = await createHttpServer({ ...common, title: 'service', metrics: createMetrics() });
  // What a route needs it takes when it is asked, and nobody asks here.
  register(app, Object.create(null));
  return app;
}
