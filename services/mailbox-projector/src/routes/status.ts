/** `/v1/projection/status`: how far the view is behind the log, what was repaired or parked, and where it is known to lack something. */
import type { Bus } from '@mailstream/bus';
import { ApiError, type Drift, ProjectionStatus } from '@mailstream/contracts';
import type { Db, Tenants } from '@mailstream/db';
import { type Fold, incidents, readRebuild } from '@mailstream/fold';
import type { HttpServer } from '@mailstream/runtime';
import { projector } from '../projector.ts';

export function registerStatusRoutes(
  app: HttpServer,
  { bus, db, tenants, fold }: { bus: Pick<Bus, 'state'>; db: Db; tenants: Tenants; fold: Pick<Fold, 'lag'> },
): void {
  app.get(
    '/v1/projection/status',
    {
      config: { scope: 'accounts:read' },
      schema: {
        tags: ['status'],
        summary: 'How far the view is behind the log',
        response: { 200: ProjectionStatus, 401: ApiError },
      },
    },
    async ({ principal: { tenant } }) => {
      const [partitions, repairs, dead, drift, rebuild] = await Promise.all([
        fold.lag(),
        incidents(db),
        bus.state('DEAD'),
        tenants
          .of(tenant)
          .query<Drift>(
            'select account, mailbox, path, drift from mailbox where tenant = $1 and drift > 0 order by account, path',
            [tenant],
          ),
        readRebuild(db, projector.name),
      ]);
      return {
        partitions,
        incidents: repairs,
        parked: dead.last === 0n ? 0 : Number(dead.last - dead.first) + 1,
        drift,
        rebuild,
      };
    },
  );
}
