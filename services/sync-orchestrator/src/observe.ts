/** What the orchestrator's rows and the queues say of the whole installation, for operators; every replica says the same. */
import type { Bus, QueueState } from '@mailstream/bus';
import { fetchConsumer, LANES, STREAMS, watchConsumer } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import type { Provider } from '@mailstream/providers';
import type { Metrics } from '@mailstream/runtime';
import { ACTIVE_STATES } from './domain/lifecycle.ts';

export interface ObserveDeps {
  readonly bus: Pick<Bus, 'queue' | 'state'>;
  readonly db: Db;
  readonly metrics: Metrics;
  readonly providers: readonly Pick<Provider, 'name' | 'push'>[];
}

/** By the last look that went well, at the list of mailboxes or any of them. */
const CHECKED = `
SELECT provider, CASE WHEN age < interval '1 minute' THEN '1m' WHEN age < interval '5 minutes' THEN '5m'
       WHEN age < interval '15 minutes' THEN '15m' WHEN age < interval '1 hour' THEN '1h'
       WHEN age < interval '6 hours' THEN '6h' WHEN age < interval '1 day' THEN '1d' ELSE 'longer' END AS within, count(*)
  FROM (SELECT a.provider, now() - coalesce(max(s.checked_at), a.created_at) AS age
          FROM control.account a LEFT JOIN control.scope s ON s.account = a.id
         WHERE a.removed_at IS NULL AND a.state = ANY($1::text[]) GROUP BY a.id) ages
 GROUP BY provider, within`;

/** Of a paused endpoint nothing is late: it waits for a person. */
const OLDEST = `
SELECT min(d.stored_at) AS at FROM control.webhook_delivery d JOIN control.webhook_endpoint e ON e.id = d.endpoint
 WHERE d.state = 'waiting' AND e.state = 'active'`;

const itemsIn = ({ waiting, held }: QueueState) => waiting + held;

export function observeInstallation({ bus, db, metrics, providers }: ObserveDeps): void {
  metrics.observe('mailstream.accounts', async () => {
    const rows = await db.query<{ provider: string; state: string; count: bigint }>(
      'SELECT provider, state, count(*) FROM control.account WHERE removed_at IS NULL GROUP BY provider, state',
    );
    return rows.map(({ provider, state, count }) => [{ provider, state }, Number(count)] as const);
  });
  metrics.observe('mailstream.accounts.checked', async () => {
    const rows = await db.query<{ provider: string; within: string; count: bigint }>(CHECKED, [
      ACTIVE_STATES,
    ]);
    return rows.map(({ provider, within, count }) => [{ provider, within }, Number(count)] as const);
  });
  metrics.observe('mailstream.queue.waiting', async () => {
    const hints = [
      { queue: 'hints', provider: '' },
      itemsIn(await bus.queue('SYNC', 'orchestrator')),
    ] as const;
    const jobs = providers.flatMap(({ name: provider }) =>
      LANES.map(async (lane) => {
        const waiting = itemsIn(await bus.queue('FETCH', fetchConsumer(provider, lane)));
        return [{ queue: lane, provider }, waiting] as const;
      }),
    );
    // Watches that somebody holds are as they should be.
    const watches = providers
      .filter(({ push }) => push === 'idle')
      .map(async ({ name: provider }) => {
        const { waiting } = await bus.queue('WATCH', watchConsumer(provider));
        return [{ queue: 'watch', provider }, waiting] as const;
      });
    return [hints, ...(await Promise.all([...jobs, ...watches]))];
  });
  metrics.observe('mailstream.stream.size', async () =>
    Promise.all(
      Object.values(STREAMS).map(
        async ({ name: stream }) => [{ stream }, (await bus.state(stream)).bytes] as const,
      ),
    ),
  );
  metrics.observe('mailstream.database.size', async () => {
    const [row] = await db.query<{ size: bigint }>('SELECT pg_database_size(current_database()) AS size');
    return [[{}, Number(row?.size ?? 0)]];
  });
  metrics.observe('mailstream.parked', async () => [[{}, (await bus.state('DEAD')).messages]]);
  metrics.observe('mailstream.webhook.waiting', async () => {
    const [row] = await db.query<{ count: bigint }>(
      "SELECT count(*) FROM control.webhook_delivery WHERE state = 'waiting'",
    );
    return [[{}, Number(row?.count ?? 0)]];
  });
  metrics.observe('mailstream.webhook.oldest', async () => {
    const [row] = await db.query<{ at: Date | null }>(OLDEST);
    return [[{}, row?.at ? Math.max(0, (Date.now() - row.at.getTime()) / 1_000) : 0]];
  });
  metrics.observe('mailstream.webhook.endpoints', async () => {
    const rows = await db.query<{ state: string; count: bigint }>(
      'SELECT state, count(*) FROM control.webhook_endpoint GROUP BY state',
    );
    return rows.map(({ state, count }) => [{ state }, Number(count)] as const);
  });
}
