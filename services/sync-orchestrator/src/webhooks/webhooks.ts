/** Webhooks put together: what manages endpoints, and what runs. */
import type { Bus } from '@mailstream/bus';
import type { Db, Tenants } from '@mailstream/db';
import { createReach, type Logger, type Metrics, type Part, type PrivateHosts } from '@mailstream/runtime';
import type { Vault } from '../credentials/vault.ts';
import { createCatchUp } from './catch-up.ts';
import { createDeliveries } from './deliver.ts';
import { createEndpoints, type Endpoints } from './endpoints.ts';
import { createPost } from './post.ts';
import { createWebhookReader } from './reader.ts';

export interface WebhooksDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly tenants: Tenants;
  readonly vault: Vault;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Inside which networks endpoints may be. */
  readonly privateHosts: PrivateHosts;
}

export interface Webhooks {
  readonly endpoints: Endpoints;
  readonly parts: readonly Part[];
}

export function createWebhooks({
  bus,
  db,
  tenants,
  vault,
  logger,
  metrics,
  privateHosts,
}: WebhooksDeps): Webhooks {
  const reach = createReach(privateHosts);
  // Certificates are of names on the internet; who reaches into a network of one's own says so.
  const allowHttp = privateHosts.length > 0;
  const deliveries = createDeliveries({ bus, db, vault, metrics, post: createPost(reach), logger });
  const { nudge } = deliveries;
  return {
    endpoints: createEndpoints({ bus, db, tenants, vault, reach, allowHttp }),
    parts: [
      createWebhookReader({ bus, db, logger, nudge }),
      createCatchUp({ bus, db, logger, nudge }),
      deliveries,
    ],
  };
}
