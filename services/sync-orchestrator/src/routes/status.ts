/** `/v1/status` and `/v1/doctor`: the whole installation at a glance, and what is wrong with it in words. */
import type { Bus, QueueState } from '@mailstream/bus';
import {
  ApiError,
  DoctorReport,
  fetchConsumer,
  LANES,
  type Lane,
  StatusReport,
  subjects,
} from '@mailstream/contracts';
import type { Db, Tenants } from '@mailstream/db';
import { type Fold, incidents, readDamage, readLag } from '@mailstream/fold';
import type { Provider } from '@mailstream/providers';
import { type HttpServer, messageOf } from '@mailstream/runtime';
import type { Accounts } from '../accounts/accounts.ts';
import { readAgeing } from '../accounts/ageing.ts';
import { readLate } from '../accounts/late.ts';
import { diagnose } from '../domain/diagnose.ts';
import { listLetters } from '../parked/letters.ts';
import { readProjectSpending } from '../project-spending.ts';
import type { Endpoints } from '../webhooks/endpoints.ts';

const RECENT = 20;

interface Queue extends QueueState {
  readonly queue: string;
  /** Null: of hints. */
  readonly lane: Lane | null;
}

export function registerStatusRoutes(
  app: HttpServer,
  deps: {
    accounts: Accounts;
    bus: Bus;
    db: Db;
    tenants: Tenants;
    fold: Pick<Fold, 'lag'>;
    endpoints: Pick<Endpoints, 'list'>;
    pollMs: number;
    providers: readonly Pick<Provider, 'name' | 'cursorLifeMs'>[];
  },
): void {
  const { accounts, bus, db, endpoints, tenants, fold, pollMs, providers } = deps;

  async function readQueues(): Promise<Queue[]> {
    const jobs = providers.flatMap(({ name }) => LANES.map((lane) => ({ name, lane })));
    const [hints, ...rest] = await Promise.all([
      bus.queue('SYNC', 'orchestrator'),
      ...jobs.map(({ name, lane }) => bus.queue('FETCH', fetchConsumer(name, lane))),
    ]);
    return [
      { ...hints, queue: 'hints', lane: null },
      ...rest.map((state, at) => ({
        ...state,
        queue: `${jobs[at]?.name} ${jobs[at]?.lane}`,
        lane: jobs[at]?.lane ?? null,
      })),
    ];
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
      queues,
      webhooks,
      damage,
      ageing,
      late,
    ] = await Promise.all([
      accounts.list(tenant),
      readProjectSpending(db, Date.now()),
      fold.lag(),
      readLag({ bus, db }, 'projector'),
      bus.state('DEAD'),
      listLetters(bus, tenant, { before: null, limit: RECENT }),
      incidents(db),
      readQueues(),
      endpoints.list(tenant),
      Promise.all(['orchestrator', 'projector'].map((name) => readDamage({ bus, db }, name))),
      readAgeing(tenants.of(tenant), tenant, providers),
      readLate(tenants.of(tenant), tenant, pollMs),
    ]);
    return {
      accounts: list,
      quotas,
      folds: [...orchestrator, ...projector],
      parked: { count: dead.messages, recent: letters.items },
      incidents: incidentRows,
      damage: damage.flat(),
      ageing,
      late,
      unserved: queues
        .filter(({ waiting, held, isAsked }) => waiting + held > 0 && !isAsked)
        .map(({ queue, waiting, held, takenAt }) => ({
          ...{ queue, waiting, held },
          takenAt: takenAt?.toISOString() ?? null,
        })),
      isFetched: queues.some(({ lane, held, isAsked }) => lane !== null && (isAsked || held > 0)),
      pausedWebhooks: webhooks
        .filter(({ state }) => state === 'paused')
        .map(({ id, name, url, reason, waiting }) => ({ id, name, url, reason, waiting })),
      pending: {
        hints: itemsIn(queues, null),
        live: itemsIn(queues, 'live'),
        backfill: itemsIn(queues, 'backfill'),
      },
    };
  }

  /** Why NATS stores nothing now; null when it does. */
  async function unstored(): Promise<string | null> {
    try {
      await bus.publish({ subject: subjects.probe, data: {} });
      return null;
    } catch (error) {
      return messageOf(error);
    }
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
    async (request) => {
      const [status, why] = await Promise.all([report(request.principal.tenant), unstored()]);
      return { findings: diagnose(status, new Date(), why) };
    },
  );
}

function itemsIn(queues: readonly Queue[], lane: Lane | null): number {
  return queues
    .filter((queue) => queue.lane === lane)
    .reduce((sum, { waiting, held }) => sum + waiting + held, 0);
}
