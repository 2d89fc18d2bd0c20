/** All routes of the projector. Registering them touches nothing of what is behind them. */
import type { Bus } from '@mailstream/bus';
import type { Db, Tenants } from '@mailstream/db';
import type { Fold } from '@mailstream/fold';
import type { HttpServer } from '@mailstream/runtime';
import type { Readers } from '../changes/readers.ts';
import { registerChangesRoute } from './changes.ts';
import { registerHistoryRoute } from './history.ts';
import { registerMailboxRoutes } from './mailboxes.ts';
import { registerMessageRoutes } from './messages.ts';
import { registerPastRoutes } from './past.ts';
import { registerSnapshotRoutes } from './snapshot.ts';
import { registerStatusRoutes } from './status.ts';
import { registerThreadRoutes } from './threads.ts';

export interface RoutesDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly tenants: Tenants;
  readonly fold: Pick<Fold, 'lag'>;
  readonly readers: Readers;
}

export function registerRoutes(app: HttpServer, { bus, db, tenants, fold, readers }: RoutesDeps): void {
  registerMessageRoutes(app, tenants);
  registerHistoryRoute(app, { bus, tenants });
  registerThreadRoutes(app, tenants);
  registerMailboxRoutes(app, tenants);
  registerPastRoutes(app, { bus, tenants });
  registerSnapshotRoutes(app, { bus, tenants });
  registerChangesRoute(app, readers);
  registerStatusRoutes(app, { bus, db, tenants, fold });
}
