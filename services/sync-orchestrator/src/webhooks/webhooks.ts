/** Webhooks put together: their routes, and what runs. */
import type { Bus } from '@mailstream/bus';
import type { Db, Tenants } from '@mailstream/db';
import { createReach, type HttpServer, type Logger, type Part, type PrivateHosts } from '@mailstream/runtime';
import type { Vault } from '../credentials/vault.ts';
import { registerWebhookEndpointRoutes } from '../routes/webhook-endpoints.ts';
import { createCatchUp } from './catch-up.ts';
import { createDeliveries } from './deliver.ts';
import { createEndpoints } from './endpoints.ts';
import { createPost } from './post.ts';
import { createWebhookReader } from './reader.ts';

export interface WebhooksDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly tenants: Tenants;
  readonly vault: Vault;
  readonly app: HttpServer;
  readonly logger: Logger;
  /** Inside which networks endpoints may be. */
  readonly privateHosts: PrivateHosts;
}

/** Registers the routes and returns the parts to run. */
export function createWebhooks({ bus, db, tenants, vault, app, logger, privateHosts }: WebhooksDeps): Part[] {
  const reach = createReach(privateHosts);
  // Certificates are of names on the internet; who reaches into a network of one's own says so.
  const allowHttp = privateHosts.length > 0;
  registerWebhookEndpointRoutes(app, createEndpoints({ bus, db, tenants, vault, reach, allowHttp }));
  const deliveries = createDeliveries({ bus, db, vault, post: createPost(reach), logger });
  const { nudge } = deliveries;
  return [
    createWebhookReader({ bus, db, logger, nudge }),
    createCatchUp({ bus, db, logger, nudge }),
    deliveries,
  ];
}
