/** Which variables each service reads, found out by having it read its configuration. */
import { readConfig as readGateway } from '@mailstream/ingest-gateway/config';
import { readConfig as readProjector } from '@mailstream/mailbox-projector/config';
import { readConfig as readFetcher } from '@mailstream/provider-fetcher/config';
import { type Environment, messageOf } from '@mailstream/runtime';
import { readConfig as readOrchestrator } from '@mailstream/sync-orchestrator/config';

export const SERVICES = ['gateway', 'orchestrator', 'fetcher', 'projector'] as const;
export type Service = (typeof SERVICES)[number];

const READ = {
  gateway: readGateway,
  orchestrator: readOrchestrator,
  fetcher: readFetcher,
  projector: readProjector,
} satisfies Record<Service, (source: Environment) => unknown>;

/** Some variables are read only when these are set. */
const OPENERS: Environment = {
  GOOGLE_PUBSUB_SUBSCRIPTION: 'projects/example/subscriptions/mailstream',
  MAILSTREAM_KMS_URL: 'https://vault.example.com',
};

/** What Node and its libraries read in every service, which no configuration of ours mentions. */
const EVERYWHERE = ['LOG_LEVEL', 'NODE_EXTRA_CA_CERTS'];

/** Read by what runs every service. */
const BY_ALL = ['MAILSTREAM_ADMIN_HOST', 'MAILSTREAM_ADMIN_PORT', ...EVERYWHERE];

/** Read by the packages of OpenTelemetry, and by ours for them. */
export const OF_TELEMETRY = /^OTEL_/;

/** Of the migration, which has no configuration beside the database's. */
const MIGRATE = ['DATABASE_URL', 'MIGRATION_DATABASE_URL', ...EVERYWHERE];

/** Fetchers ask the orchestrator for tokens: these never leave it, though both read the same configuration. */
const SIGNING_IN = ['MS_CLIENT_SECRET', 'GOOGLE_CLIENT_SECRET', 'GOOGLE_SERVICE_ACCOUNT_FILE'];

/** Set by the chart alone: they follow from its objects. */
const OF_THE_CHART = [
  'MAILSTREAM_ADMIN_HOST',
  'MAILSTREAM_ADMIN_PORT',
  'MAILSTREAM_HTTP_HOST',
  'MAILSTREAM_HTTP_PORT',
  'MAILSTREAM_ORCHESTRATOR_URL',
  'MAILSTREAM_PROJECTOR_URL',
  'NATS_NKEY_SEED',
  'NATS_NKEY_SEED_FILE',
];

/** What is wrong with this environment for that service; null when it could start with it. Opens nothing. */
export function problemOf(service: Service, environment: Environment): string | null {
  try {
    READ[service](environment);
    return null;
  } catch (error) {
    return messageOf(error);
  }
}

/** The names that a service looks for. */
export function variablesOf(service: Service): ReadonlySet<string> {
  const read = new Set(BY_ALL);
  const recorded: Environment = new Proxy(OPENERS, {
    get(target, name) {
      if (typeof name !== 'string') return undefined;
      read.add(name);
      return target[name];
    },
  });
  problemOf(service, recorded);
  return read;
}

/** What `files/variables.json` of the chart has to say: for each variable who is given it. The owner's login is for the migration alone. */
export function readersOfVariables(): Record<string, string[]> {
  const readers: Record<string, string[]> = {};
  const add = (variable: string, reader: string) => {
    if (OF_THE_CHART.includes(variable)) return;
    readers[variable] = [...(readers[variable] ?? []), reader];
  };
  for (const service of SERVICES)
    for (const variable of variablesOf(service)) {
      if (variable === 'MIGRATION_DATABASE_URL') continue;
      if (service !== 'orchestrator' && SIGNING_IN.includes(variable)) continue;
      add(variable, service);
    }
  for (const variable of MIGRATE) if (variable !== 'DATABASE_URL') add(variable, 'migrate');
  return Object.fromEntries(Object.entries(readers).sort(([a], [b]) => (a < b ? -1 : 1)));
}
