/** All routes of the orchestrator. Registering them touches nothing of what is behind them. */
import type { Bus } from '@mailstream/bus';
import type { Db, Tenants } from '@mailstream/db';
import type { Fold } from '@mailstream/fold';
import type { Provider } from '@mailstream/providers';
import type { HttpServer } from '@mailstream/runtime';
import type { Accounts } from '../accounts/accounts.ts';
import type { ApiKeys } from '../api-keys/api-keys.ts';
import type { Connect } from '../connect/connect.ts';
import type { Rotation } from '../credentials/rotation.ts';
import type { Endpoints } from '../webhooks/endpoints.ts';
import { registerAccountRoutes } from './accounts.ts';
import { registerApiKeyRoutes } from './api-keys.ts';
import { registerAuditRoute } from './audit.ts';
import { registerConnectRoutes } from './connect.ts';
import { registerKeyRoutes } from './keys.ts';
import { registerParkedRoutes } from './parked.ts';
import { registerStatusRoutes } from './status.ts';
import { registerWebhookEndpointRoutes } from './webhook-endpoints.ts';

export interface RoutesDeps {
  readonly accounts: Accounts;
  readonly apiKeys: ApiKeys;
  readonly bus: Bus;
  readonly connect: Connect;
  readonly db: Db;
  readonly endpoints: Endpoints;
  readonly fold: Pick<Fold, 'lag'>;
  /** Milliseconds between the looks at an account. */
  readonly pollMs: number;
  readonly providers: readonly Provider[];
  readonly rotation: Rotation;
  readonly tenants: Tenants;
}

export function registerRoutes(app: HttpServer, deps: RoutesDeps): void {
  registerAccountRoutes(app, deps);
  registerApiKeyRoutes(app, deps);
  registerConnectRoutes(app, deps);
  registerKeyRoutes(app, deps);
  registerAuditRoute(app, deps);
  registerParkedRoutes(app, deps);
  registerStatusRoutes(app, deps);
  registerWebhookEndpointRoutes(app, deps.endpoints);
}
