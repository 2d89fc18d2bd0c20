/** `/v1/status` and `/v1/doctor`: the whole installation at a glance, and what is wrong with it in words. */
import type { Bus } from '@mailstream/bus';
import { ApiError, DoctorReport, fetchConsumer, type Lane, StatusReport } from '@mailstream/contracts';
import type { Db, Tenants } from '@mailstream/db';
import { type Fold, incidents, readDamage, readLag } from '@mailstream/fold';
import type { Provider } from '@mailstream/providers';
import type { HttpServer } from '@mailstream/runtime';
import type { Accounts } from '../accounts/accounts.ts';
import { readAgeing } from '../accounts/ageing.ts';
import { diagnose } from '../domain/diagnose.ts';
import { listLetters } from '../parked/letters.ts';
import { readProjectSpending } from '../project-spending.ts';

const RECENT = 20;

export function registerStatusRoutes(
  app: HttpServer,
  deps: {
    accounts: Accounts;
    bus: Bus;
    db: Db;
    tenants: Tenants;
    fold: Pick<Fold, 'lag'>;
    providers: readonly Pick<Provider, 'name' | 'cursorLifeMs'>[];
  },
): void {
  const { accounts, bus, db, tenants, fold, providers } = deps;

  async function waiting(lane: Lane): Promise<number> {
    const counts = await Promise.all(
      providers.map(({ name }) => bus.backlog('FETCH', fetchConsumer(name, lane))),
    );
    return counts.reduce((sum, count) => sum + count, 0);
  }

  async function report(tenant: string): Promise<StatusReport> {
    const [
      list,
      quotas,
      orchestrator,
      projector,
      dead,
      letters,
      incidentRows,
      hints,
      live,
      backfill,
      damage,
      ageing,
    ] = await Promise.all([
      accounts.list(tenant),
      readProjectSpending(db, Date.now()),
      fold.lag(),
      readLag({ bus, db }, 'projector'),
      bus.state('DEAD'),
      listLetters(bus, tenant, { before: null, limit: RECENT }),
      incidents(db),
      bus.backlog('SYNC', 'orchestrator'),
      waiting('live'),
      waiting('backfill'),
      Promise.all(['orchestrator', 'projector'].map((name) => readDamage({ bus, db }, name))),
      readAgeing(tenants.of(tenant), tenant, providers),
    ]);
    return {
      accounts: list,
      quotas,
      folds: [...orchestrator, ...projector],
      parked: { count: dead.messages, recent: letters.items },
      incidents: incidentRows,
      damage: damage.flat(),
      ageing,
      pending: { hints, live, backfill },
    };
  }

  app.get(
    '/v1/status',
    {
      config: { scope: 'accounts:read' },
      schema: {
        tags: ['status'],
        summary: 'Accounts, lags, parked events, incidents',
        response: { 200: StatusReport, 401: ApiError },
      },
    },
    (request) => report(request.principal.tenant),
  );

  app.get(
    '/v1/doctor',
    {
      config: { scope: 'accounts:read' },
      schema: {
        tags: ['status'],
        summary: 'What is wrong, and what mends it',
        response: { 200: DoctorReport, 401: ApiError },
      },
    },
    async (request) => ({ findings: diagnose(await report(request.principal.tenant), new Date()) }),
  );
}
