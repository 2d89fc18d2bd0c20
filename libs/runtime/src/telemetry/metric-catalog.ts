/** Every metric there is: what `/metrics` and OTLP tell, and what METRICS.md says of it, have their names, units and labels from here. */

export interface MetricDefinition {
  /** `counter` and `histogram` are noted as things happen, `total` and `gauge` are read when somebody asks. */
  readonly kind: 'counter' | 'total' | 'gauge' | 'histogram';
  /** UCUM, as OpenTelemetry has it: `s`, `By`, `1`, or what is counted in braces. */
  readonly unit: string;
  /** Few values each, and none from outside: each combination is a series for good. Never an account. */
  readonly labels: readonly string[];
  readonly help: string;
  /** Which services tell it. */
  readonly from: string;
}

const define = <const D extends Record<string, MetricDefinition>>(definitions: D) => definitions;

/** By their names in OpenTelemetry; Prometheus has `_` for each dot, and the unit and `_total` at the end. */
export const METRICS = define({
  'mailstream.sync.latency': {
    kind: 'histogram',
    unit: 's',
    labels: ['provider'],
    help: 'From the begin of a look at a mailbox to its news in the log and known to the orchestrator, imports left out.',
    from: 'orchestrator',
  },
  'mailstream.hint.age': {
    kind: 'histogram',
    unit: 's',
    labels: ['reason'],
    help: 'How long a hint waited in NATS until it was handled.',
    from: 'orchestrator',
  },
  'mailstream.fetch.duration': {
    kind: 'histogram',
    unit: 's',
    labels: ['provider', 'lane', 'outcome'],
    help: 'How long a job took, by what came of it: advanced, nothing, fenced, or the class of the failure.',
    from: 'fetcher',
  },
  'mailstream.fold.latency': {
    kind: 'histogram',
    unit: 's',
    labels: ['fold'],
    help: 'From when a page was stored in the log to the commit of the transaction that folded it; the oldest page of each.',
    from: 'orchestrator, projector',
  },
  'mailstream.fold.lag': {
    kind: 'gauge',
    unit: '{event}',
    labels: ['fold', 'partition'],
    help: 'How far a fold is behind the log; every replica tells it of all partitions.',
    from: 'orchestrator, projector',
  },
  'mailstream.fold.standstill': {
    kind: 'gauge',
    unit: 's',
    labels: ['fold'],
    help: 'For how long that partition has not moved, of those with something to fold, which stands longest; 0: all are done.',
    from: 'orchestrator, projector',
  },
  'mailstream.fold.events': {
    kind: 'total',
    unit: '{event}',
    labels: ['fold'],
    help: 'Messages of the log left behind, for whatever reason.',
    from: 'orchestrator, projector',
  },
  'mailstream.fold.discarded': {
    kind: 'total',
    unit: '{page}',
    labels: ['fold'],
    help: 'Pages that did not continue what was applied.',
    from: 'orchestrator, projector',
  },
  'mailstream.fold.parked': {
    kind: 'total',
    unit: '{event}',
    labels: ['fold'],
    help: 'Events that could not be folded and were parked.',
    from: 'orchestrator, projector',
  },
  'mailstream.fold.seeded': {
    kind: 'total',
    unit: '{cursor}',
    labels: ['fold'],
    help: 'Cursors put back into the log.',
    from: 'orchestrator, projector',
  },
  'mailstream.fold.published': {
    kind: 'total',
    unit: '{event}',
    labels: ['fold'],
    help: 'Events published from the outbox.',
    from: 'orchestrator, projector',
  },
  'mailstream.fold.reopened': {
    kind: 'total',
    unit: '{opening}',
    labels: ['fold'],
    help: 'Times a partition was opened anew after a failure.',
    from: 'orchestrator, projector',
  },
  'mailstream.fold.incidents': {
    kind: 'total',
    unit: '{incident}',
    labels: ['fold'],
    help: 'Repairs after the log was found to be another or cut.',
    from: 'orchestrator, projector',
  },
  'mailstream.accounts': {
    kind: 'gauge',
    unit: '{account}',
    labels: ['provider', 'state'],
    help: 'Accounts by their state.',
    from: 'orchestrator',
  },
  'mailstream.accounts.checked': {
    kind: 'gauge',
    unit: '{account}',
    labels: ['provider', 'within'],
    help: 'Accounts that are looked at, by how long ago that was last done: within 1m, 5m, 15m, 1h, 6h, 1d, or longer ago.',
    from: 'orchestrator',
  },
  'mailstream.sweep.overdue': {
    kind: 'counter',
    unit: '{account}',
    labels: [],
    help: 'Accounts that no schedule had woken and the sweep found. It should stand still.',
    from: 'orchestrator',
  },
  'mailstream.queue.waiting': {
    kind: 'gauge',
    unit: '{item}',
    labels: ['queue', 'provider'],
    help: 'Hints, and jobs of the lanes live and backfill, that wait or are being handled; accounts that are to be watched and are not.',
    from: 'orchestrator',
  },
  'mailstream.stream.size': {
    kind: 'gauge',
    unit: 'By',
    labels: ['stream'],
    help: 'What a stream of NATS takes on disk, on each of its servers.',
    from: 'orchestrator',
  },
  'mailstream.database.size': {
    kind: 'gauge',
    unit: 'By',
    labels: [],
    help: 'What the database takes on disk.',
    from: 'orchestrator',
  },
  'mailstream.parked': {
    kind: 'gauge',
    unit: '{letter}',
    labels: [],
    help: 'Messages on DEAD: what could not be used and nobody has put back or dropped.',
    from: 'orchestrator',
  },
  'mailstream.subscriptions.lapsing': {
    kind: 'gauge',
    unit: '{account}',
    labels: ['provider'],
    help: 'Accounts whose provider tells of changes for less than a day more, not any more, or never did, though it is to; polls go on.',
    from: 'orchestrator',
  },
  'mailstream.webhook.attempts': {
    kind: 'histogram',
    unit: 's',
    labels: ['outcome'],
    help: 'Requests to webhook endpoints and how long they took: delivered, retry, dead (given up), pause.',
    from: 'orchestrator',
  },
  'mailstream.webhook.waiting': {
    kind: 'gauge',
    unit: '{delivery}',
    labels: [],
    help: 'Deliveries that are still to be made.',
    from: 'orchestrator',
  },
  'mailstream.webhook.oldest': {
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'Age of the oldest change that a webhook endpoint which is not paused is still to be told; 0: none.',
    from: 'orchestrator',
  },
  'mailstream.webhook.endpoints': {
    kind: 'gauge',
    unit: '{endpoint}',
    labels: ['state'],
    help: 'Webhook endpoints by their state.',
    from: 'orchestrator',
  },
  'mailstream.drift': {
    kind: 'gauge',
    unit: '{message}',
    labels: ['provider'],
    help: 'Messages that the last comparison with the provider found missing in the view. It should be 0.',
    from: 'projector',
  },
  'mailstream.quota.units': {
    kind: 'total',
    unit: '{unit}',
    labels: ['provider', 'method'],
    help: 'Units of the provider’s allowance that this process spent, by method of its API.',
    from: 'fetcher',
  },
  'mailstream.quota.account_units': {
    kind: 'gauge',
    unit: '{unit}',
    labels: ['provider'],
    help: 'The most that any one account spent in the last minute.',
    from: 'fetcher',
  },
  'mailstream.quota.account_limit_units': {
    kind: 'gauge',
    unit: '{unit}',
    labels: ['provider'],
    help: 'What each account may spend in a minute.',
    from: 'fetcher',
  },
  'mailstream.quota.project_units': {
    kind: 'gauge',
    unit: '{unit}',
    labels: ['provider'],
    help: 'What all accounts spent in the last minute.',
    from: 'fetcher',
  },
  'mailstream.quota.project_limit_units': {
    kind: 'gauge',
    unit: '{unit}',
    labels: ['provider'],
    help: 'What all accounts together may spend in a minute.',
    from: 'fetcher',
  },
  'mailstream.notifications': {
    kind: 'counter',
    unit: '{notification}',
    labels: ['provider', 'outcome'],
    help: 'Notifications of providers, by what became of them.',
    from: 'gateway',
  },
  'mailstream.notification_pulls_failed': {
    kind: 'counter',
    unit: '{attempt}',
    labels: ['provider', 'code'],
    help: 'Notifications that could not be fetched from where they wait, by error code.',
    from: 'gateway',
  },
  'mailstream.loops.stuck': {
    kind: 'gauge',
    unit: '{loop}',
    labels: [],
    help: 'Loops of this process that stand still; /livez then fails and says which.',
    from: 'all',
  },
  'http.server.request.duration': {
    kind: 'histogram',
    unit: 's',
    labels: ['http.request.method', 'http.route', 'http.response.status_code'],
    help: 'How long calls took; streams of changes when they ended.',
    from: 'all',
  },
  'db.client.connection.count': {
    kind: 'gauge',
    unit: '{connection}',
    labels: ['db.client.connection.pool.name', 'db.client.connection.state'],
    help: 'Connections to PostgreSQL, idle and used.',
    from: 'orchestrator, projector',
  },
  'db.client.connection.max': {
    kind: 'gauge',
    unit: '{connection}',
    labels: ['db.client.connection.pool.name'],
    help: 'Connections that a pool may have.',
    from: 'orchestrator, projector',
  },
  'db.client.connection.pending_requests': {
    kind: 'gauge',
    unit: '{request}',
    labels: ['db.client.connection.pool.name'],
    help: 'Who waits for a connection.',
    from: 'orchestrator, projector',
  },
  'nodejs.eventloop.utilization': {
    kind: 'gauge',
    unit: '1',
    labels: [],
    help: 'The share of time in which the event loop was busy, since it was last asked for.',
    from: 'all',
  },
  'nodejs.eventloop.delay.p99': {
    kind: 'gauge',
    unit: 's',
    labels: [],
    help: 'How late the event loop was in the last minute, at the 99th percentile.',
    from: 'all',
  },
  'process.cpu.time': {
    kind: 'total',
    unit: 's',
    labels: ['cpu.mode'],
    help: 'Processor time.',
    from: 'all',
  },
  'process.memory.usage': {
    kind: 'gauge',
    unit: 'By',
    labels: [],
    help: 'Resident memory.',
    from: 'all',
  },
});

type Catalog = typeof METRICS;

/** Metrics of a kind. */
export type MetricName<K extends MetricDefinition['kind'] = MetricDefinition['kind']> = {
  [N in keyof Catalog]: Catalog[N]['kind'] extends K ? N : never;
}[keyof Catalog];

export type LabelsOf<N extends MetricName> = Readonly<Record<Catalog[N]['labels'][number], string>>;
