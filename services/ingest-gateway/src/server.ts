/** The gateway, ready to run: its HTTP server, and what fetches notifications. */
import type { Bus } from '@mailstream/bus';
import { createQueues, createWebhooks, type NotificationsConfig } from '@mailstream/providers/webhooks';
import {
  type Authenticate,
  createHttpServer,
  createMetrics,
  type HttpServer,
  type Logger,
  type Metrics,
  type Part,
} from '@mailstream/runtime';
import { createAcceptNotifications } from './accept-notifications.ts';
import { createAdmission } from './admission.ts';
import type { DoorConfig, Upstreams } from './config.ts';
import { createHintWriter } from './hints.ts';
import { createPushTargets } from './push-targets.ts';
import { createReceiver } from './receive-notifications.ts';
import { registerCallerRoute } from './routes/caller.ts';
import { isChangesSocket, registerChangesSocket } from './routes/changes-socket.ts';
import { registerLandingRoute } from './routes/landing.ts';
import { registerProxyRoutes } from './routes/proxy.ts';
import { registerSyncRoute } from './routes/request-sync.ts';
import { registerWebhookRoutes } from './routes/webhooks.ts';
import { createSources, readerOf } from './sources.ts';

export { isServedBy } from './routes/proxy.ts';

export interface ServerDeps {
  readonly bus: Pick<Bus, 'publish' | 'publishBatch' | 'schedule' | 'last' | 'connected'>;
  readonly logger: Logger;
  readonly authenticate: Authenticate;
  readonly upstreams: Upstreams;
  readonly notificationsConfig: NotificationsConfig;
  /** Left out, everything is taken that comes. */
  readonly door?: DoorConfig;
  /** Left out, it has its own. */
  readonly metrics?: Metrics;
  /** Left out, it is ready when it is connected. */
  readonly ready?: () => Promise<boolean>;
  readonly alive?: () => boolean;
  /** What describes the routes of all services. */
  readonly openApi?: object;
}

export interface Server {
  readonly app: HttpServer;
  /** Fetch notifications, for as long as they run. */
  readonly receivers: readonly Part[];
}

export async function createServer(deps: ServerDeps): Promise<Server> {
  const { bus, logger, authenticate, upstreams, notificationsConfig, door, openApi } = deps;
  const { metrics = createMetrics(), ready = () => bus.connected() } = deps;
  const app = await createHttpServer({
    title: 'Mailstream',
    logger,
    authenticate,
    ready,
    ...(deps.alive && { alive: deps.alive }),
    metrics,
    upgrades: isChangesSocket,
    ...(door && { ...door, admit: createAdmission(door.limits) }),
    ...(openApi && { openApi }),
  });
  await registerChangesSocket(app, upstreams.projector);
  registerLandingRoute(app);
  registerCallerRoute(app);
  const putHint = createHintWriter(bus);
  registerSyncRoute(app, putHint);
  const notifications = metrics.counter('mailstream.notifications');
  const failures = metrics.counter('mailstream.notification_pulls_failed');
  const accept = createAcceptNotifications({
    connected: () => bus.connected(),
    findTargets: createPushTargets(bus),
    putHint,
    schedule: bus.schedule,
    notifications,
  });
  const where = door?.webhookSources ?? null;
  await registerWebhookRoutes(app, {
    webhooks: createWebhooks(notificationsConfig),
    accept,
    notifications,
    ...(where !== null && { sources: createSources({ read: readerOf(where), logger, now: Date.now }) }),
  });
  await registerProxyRoutes(app, upstreams);
  const queues = createQueues(notificationsConfig);
  return { app, receivers: queues.map((queue) => createReceiver({ queue, accept, logger, failures })) };
}
