/** Grafana's dashboards, as what is to be seen; `npm test -- -u --project pure dashboards` makes the files of them that Grafana reads. */

interface Panel {
  readonly title: string;
  /** What it means, and when to worry. */
  readonly about?: string;
  /** Of Grafana: `s`, `bytes`, `short`, `percentunit`, `ops`. */
  readonly unit: string;
  /** Expressions by what the legend says of each series. */
  readonly shows: Readonly<Record<string, string>>;
}

interface Dashboard {
  readonly title: string;
  readonly panels: readonly Panel[];
}

const RATE = '[$__rate_interval]';
const quantile = (q: number, histogram: string, by: string) =>
  `histogram_quantile(${q}, sum by (${by}, le) (rate(${histogram}_bucket${RATE})))`;
const rate = (counter: string, by: string) => `sum by (${by}) (rate(${counter}${RATE}))`;
const FETCHES = 'mailstream_fetch_duration_seconds';

/** By the name of the file. */
export const DASHBOARDS: Readonly<Record<string, Dashboard>> = {
  overview: {
    title: 'Mailstream: overview',
    panels: [
      {
        title: 'Accounts by state',
        about: 'reauth_required waits for the owner; degraded and failed are tried again by themselves.',
        unit: 'short',
        shows: { '{{state}}': 'sum by (state) (max by (provider, state) (mailstream_accounts))' },
      },
      {
        title: 'Freshness: accounts by the last look that went well',
        about: 'All should be within 15m; more than an hour is an alert.',
        unit: 'short',
        shows: {
          'within {{within}}': 'sum by (within) (max by (provider, within) (mailstream_accounts_checked))',
        },
      },
      {
        title: 'A look at a mailbox until its news is known',
        unit: 's',
        shows: {
          '{{provider}} p50': quantile(0.5, 'mailstream_sync_latency_seconds', 'provider'),
          '{{provider}} p95': quantile(0.95, 'mailstream_sync_latency_seconds', 'provider'),
        },
      },
      {
        title: 'Stored in the log until it can be read',
        about: 'With the look before it, how late a change is.',
        unit: 's',
        shows: {
          '{{fold}} p50': quantile(0.5, 'mailstream_fold_latency_seconds', 'fold'),
          '{{fold}} p99': quantile(0.99, 'mailstream_fold_latency_seconds', 'fold'),
        },
      },
      {
        title: 'Changes told per second',
        unit: 'ops',
        shows: { changes: 'sum(rate(mailstream_fold_published_total{fold="projector"}[$__rate_interval]))' },
      },
      {
        title: 'Share of fetches that fail',
        unit: 'percentunit',
        shows: {
          '{{provider}}': `sum by (provider) (rate(${FETCHES}_count{outcome!~"advanced|nothing|fenced"}${RATE})) / ${rate(`${FETCHES}_count`, 'provider')}`,
        },
      },
      {
        title: 'What should be 0',
        unit: 'short',
        shows: {
          parked: 'max(mailstream_parked)',
          'missing in the view, {{provider}}': 'max by (provider) (mailstream_drift)',
          'polled only, {{provider}}': 'max by (provider) (mailstream_subscriptions_lapsing)',
          'loops stuck': 'sum(mailstream_loops_stuck)',
        },
      },
      {
        title: 'Calls to the API that fail by our fault, per second',
        unit: 'ops',
        shows: {
          '{{http_route}}':
            'sum by (http_route) (rate(http_server_request_duration_seconds_count{http_response_status_code=~"5.."}[$__rate_interval]))',
        },
      },
    ],
  },
  pipeline: {
    title: 'Mailstream: pipeline',
    panels: [
      {
        title: 'Hints: time until they are handled, p95',
        unit: 's',
        shows: { '{{reason}}': quantile(0.95, 'mailstream_hint_age_seconds', 'reason') },
      },
      {
        title: 'Waiting',
        about: 'Hints and jobs come and go. Watches are accounts that nobody watches: 0.',
        unit: 'short',
        shows: { '{{queue}} {{provider}}': 'max by (queue, provider) (mailstream_queue_waiting)' },
      },
      {
        title: 'Events folded per second',
        unit: 'ops',
        shows: { '{{fold}}': rate('mailstream_fold_events_total', 'fold') },
      },
      {
        title: 'Lag by partition',
        unit: 'short',
        shows: { '{{fold}} {{partition}}': 'max by (fold, partition) (mailstream_fold_lag) > 0' },
      },
      {
        title: 'The partition that stands longest',
        about: 'More than a few seconds: it is stuck.',
        unit: 's',
        shows: { '{{fold}}': 'max by (fold) (mailstream_fold_standstill_seconds)' },
      },
      {
        title: 'Trouble of the folds in 5 minutes',
        unit: 'short',
        shows: {
          '{{fold}}: pages discarded': 'sum by (fold) (increase(mailstream_fold_discarded_total[5m]))',
          '{{fold}}: parked': 'sum by (fold) (increase(mailstream_fold_parked_total[5m]))',
          '{{fold}}: cursors put back': 'sum by (fold) (increase(mailstream_fold_seeded_total[5m]))',
          '{{fold}}: reopened': 'sum by (fold) (increase(mailstream_fold_reopened_total[5m]))',
          '{{fold}}: repairs': 'sum by (fold) (increase(mailstream_fold_incidents_total[5m]))',
        },
      },
      {
        title: 'Streams, on each server of NATS',
        unit: 'bytes',
        shows: { '{{stream}}': 'max by (stream) (mailstream_stream_size_bytes)' },
      },
      {
        title: 'Database',
        unit: 'bytes',
        shows: { PostgreSQL: 'max(mailstream_database_size_bytes)' },
      },
      {
        title: 'Accounts that only the sweep found, in 5 minutes',
        unit: 'short',
        shows: { accounts: 'sum(increase(mailstream_sweep_overdue_total[5m]))' },
      },
    ],
  },
  providers: {
    title: 'Mailstream: providers',
    panels: [
      {
        title: 'Jobs per second by what came of them',
        unit: 'ops',
        shows: { '{{provider}} {{outcome}}': rate(`${FETCHES}_count`, 'provider, outcome') },
      },
      {
        title: 'How long jobs take, p95',
        unit: 's',
        shows: { '{{provider}} {{lane}}': quantile(0.95, FETCHES, 'provider, lane') },
      },
      {
        title: 'Quota: all accounts, share of what is allowed',
        unit: 'percentunit',
        shows: {
          '{{provider}}':
            'max by (provider) (mailstream_quota_project_units / mailstream_quota_project_limit_units)',
        },
      },
      {
        title: 'Quota: the account that spends most',
        unit: 'percentunit',
        shows: {
          '{{provider}}':
            'max by (provider) (mailstream_quota_account_units / mailstream_quota_account_limit_units)',
        },
      },
      {
        title: 'Units spent per second',
        unit: 'ops',
        shows: { '{{provider}} {{method}}': rate('mailstream_quota_units_total', 'provider, method') },
      },
      {
        title: 'Notifications per second',
        unit: 'ops',
        shows: {
          '{{provider}} {{outcome}}': rate('mailstream_notifications_total', 'provider, outcome'),
          '{{provider}} not pulled: {{code}}': rate(
            'mailstream_notification_pulls_failed_total',
            'provider, code',
          ),
        },
      },
      {
        title: 'Accounts by state',
        unit: 'short',
        shows: { '{{provider}} {{state}}': 'max by (provider, state) (mailstream_accounts)' },
      },
    ],
  },
  services: {
    title: 'Mailstream: services',
    panels: [
      { title: 'Up', unit: 'short', shows: { '{{instance}}': 'up{job="mailstream"}' } },
      {
        title: 'Loops that stand still',
        unit: 'short',
        shows: { '{{instance}}': 'mailstream_loops_stuck' },
      },
      {
        title: 'Processor',
        unit: 'short',
        shows: { '{{instance}}': rate('process_cpu_time_seconds_total', 'instance') },
      },
      { title: 'Memory', unit: 'bytes', shows: { '{{instance}}': 'process_memory_usage_bytes' } },
      {
        title: 'Event loop: share of time it is busy',
        unit: 'percentunit',
        shows: { '{{instance}}': 'nodejs_eventloop_utilization_ratio' },
      },
      {
        title: 'Event loop: how late it is, p99',
        unit: 's',
        shows: { '{{instance}}': 'nodejs_eventloop_delay_p99_seconds' },
      },
      {
        title: 'Connections to PostgreSQL in use, of what each pool may have',
        unit: 'percentunit',
        shows: {
          '{{instance}} {{db_client_connection_pool_name}}':
            'db_client_connection_count{db_client_connection_state="used"} / ignoring(db_client_connection_state) db_client_connection_max',
        },
      },
      {
        title: 'Waiting for a connection',
        unit: 'short',
        shows: {
          '{{instance}} {{db_client_connection_pool_name}}': 'db_client_connection_pending_requests',
        },
      },
      {
        title: 'Calls per second',
        unit: 'ops',
        shows: { '{{http_route}}': rate('http_server_request_duration_seconds_count', 'http_route') },
      },
      {
        title: 'Calls: p95',
        unit: 's',
        shows: { '{{http_route}}': quantile(0.95, 'http_server_request_duration_seconds', 'http_route') },
      },
    ],
  },
  subscribers: {
    title: 'Mailstream: webhooks and subscribers',
    panels: [
      {
        title: 'Endpoints',
        unit: 'short',
        shows: { '{{state}}': 'max by (state) (mailstream_webhook_endpoints)' },
      },
      {
        title: 'The oldest change that waits to be delivered',
        unit: 's',
        shows: { age: 'max(mailstream_webhook_oldest_seconds)' },
      },
      {
        title: 'Deliveries that wait',
        unit: 'short',
        shows: { deliveries: 'max(mailstream_webhook_waiting)' },
      },
      {
        title: 'Attempts per second',
        unit: 'ops',
        shows: { '{{outcome}}': rate('mailstream_webhook_attempts_seconds_count', 'outcome') },
      },
      {
        title: 'How long endpoints take, p95',
        unit: 's',
        shows: { '{{outcome}}': quantile(0.95, 'mailstream_webhook_attempts_seconds', 'outcome') },
      },
      {
        title: 'Changes told per second',
        unit: 'ops',
        shows: { changes: 'sum(rate(mailstream_fold_published_total{fold="projector"}[$__rate_interval]))' },
      },
    ],
  },
};

const DATASOURCE = { type: 'prometheus', uid: '$datasource' };
const WIDTH = 12;
const HEIGHT = 8;

/** As Grafana 10 and newer read it, two panels in a row. */
export function grafanaJson(name: string, { title, panels }: Dashboard): string {
  const dashboard = {
    uid: `mailstream-${name}`,
    title,
    tags: ['mailstream'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    links: [{ type: 'dashboards', title: 'Mailstream', tags: ['mailstream'], asDropdown: true }],
    templating: {
      list: [{ name: 'datasource', type: 'datasource', query: 'prometheus', label: 'Prometheus' }],
    },
    panels: panels.map(({ title, about, unit, shows }, at) => ({
      id: at + 1,
      type: 'timeseries',
      title,
      ...(about === undefined ? {} : { description: about }),
      datasource: DATASOURCE,
      gridPos: { x: (at % 2) * WIDTH, y: Math.floor(at / 2) * HEIGHT, w: WIDTH, h: HEIGHT },
      fieldConfig: { defaults: { unit, min: 0 }, overrides: [] },
      targets: Object.entries(shows).map(([legendFormat, expr], index) => ({
        refId: String.fromCharCode(65 + index),
        datasource: DATASOURCE,
        expr,
        legendFormat,
      })),
    })),
  };
  return `${JSON.stringify(dashboard, null, 2)}\n`;
}
