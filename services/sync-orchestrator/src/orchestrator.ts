/** Puts the orchestrator together: what it is made of, and what of it runs. */
import type { Bus } from '@mailstream/bus';
import type { RemovalStep } from '@mailstream/contracts';
import type { Db, Tenants } from '@mailstream/db';
import { createFold, createOutbox } from '@mailstream/fold';
import type { Provider } from '@mailstream/providers';
import type { Health, HttpServer, Logger, Metrics, Part } from '@mailstream/runtime';
import { createAccounts } from './accounts/accounts.ts';
import { createProviderCatalog } from './accounts/provider-catalog.ts';
import { createRemoval, purgeLate } from './accounts/removal.ts';
import { createApiKeys } from './api-keys/api-keys.ts';
import { createFindKey, createKeyAnswers } from './api-keys/find-api-key.ts';
import { createCredentialUses } from './audit/credential-uses.ts';
import { createAuditExpiry } from './audit/expiry.ts';
import { createBackPressure } from './back-pressure.ts';
import type { Config } from './config.ts';
import { createConnect } from './connect/connect.ts';
import { createConsents } from './connect/consents.ts';
import { createAccessTokens } from './credentials/access-tokens.ts';
import { createBroker } from './credentials/broker.ts';
import { createRotation } from './credentials/rotation.ts';
import type { Vault } from './credentials/vault.ts';
import { createOrchestratorFold } from './fold.ts';
import { createHintConsumer } from './hints.ts';
import { createNudge } from './nudge.ts';
import { observeInstallation } from './observe.ts';
import { createProjectUnits } from './project-spending.ts';
import { createReactor } from './react.ts';
import { registerRoutes } from './routes/index.ts';
import { createSubscriptionConsumer } from './subscriptions/consumer.ts';
import { createDestinations } from './subscriptions/destinations.ts';
import { createSubscriptionKeeper } from './subscriptions/keeper.ts';
import { createSubscriptionSweep } from './subscriptions/sweep.ts';
import { createSweep } from './sweep.ts';
import { createWebhooks } from './webhooks/webhooks.ts';

export interface OrchestratorDeps {
  readonly bus: Bus;
  readonly db: Db;
  readonly tenants: Tenants;
  readonly vault: Vault;
  readonly app: HttpServer;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly health?: Pick<Health, 'watch'>;
  readonly providers: readonly Provider[];
  /** Called in removals when a step is done and before that is noted; tests let it fail there. */
  readonly reached?: (step: RemovalStep) => Promise<void>;
  readonly config: Pick<
    Config,
    'limits' | 'maxLag' | 'sweepMs' | 'publicUrl' | 'connect' | 'auditDays' | 'privateHosts'
  >;
}

/** Registers the routes and returns the parts to run. */
export function createOrchestrator(deps: OrchestratorDeps): Part[] {
  const { bus, db, tenants, vault, app, logger, metrics, health, config } = deps;
  const { limits } = config;
  const providers = createProviderCatalog(deps.providers);
  const outbox = createOutbox({ bus, db, logger, name: 'control' });
  const backfillAllowed = createBackPressure({ bus, db, maxLag: config.maxLag });
  const pushOf = (provider: string) => providers.get(provider).push;
  const projectUnits = createProjectUnits(db);
  const reacting = { bus, outbox, limits, backfillAllowed, pushOf, projectUnits };
  const reactor = createReactor({ ...reacting, dbOf: () => db });
  const destinationOf = createDestinations(config.publicUrl, deps.providers);
  const sharedOf = (provider: string, settings: unknown) =>
    providers.get(provider).sharedSubscription(settings);
  const keeper = createSubscriptionKeeper({ bus, db, logger, destinationOf, sharedOf });
  const accounts = createAccounts({
    bus,
    tenants,
    outbox,
    // To what its caller asks for: within the tenant.
    reactor: createReactor({ ...reacting, dbOf: tenants.of }),
    vault,
    providers,
    subscriptions: keeper,
    destinationOf,
    pollMs: limits.pollMs,
  });
  const definition = createOrchestratorFold(
    reactor,
    (strangers) => purgeLate({ bus, db }, strangers),
    metrics.histogram('mailstream.sync.latency'),
  );
  const fold = createFold({ bus, db, logger, metrics, ...(health && { health }), definition });
  observeInstallation({ bus, db, metrics, providers: deps.providers });

  const consents = createConsents({ db, tenants, vault });
  const webhooks = createWebhooks({
    bus,
    db,
    tenants,
    vault,
    logger,
    metrics,
    privateHosts: config.privateHosts,
  });
  registerRoutes(app, {
    accounts,
    apiKeys: createApiKeys({ tenants }),
    bus,
    connect: createConnect({ tenants, accounts, consents, providers, config: config.connect }),
    db,
    endpoints: webhooks.endpoints,
    fold,
    pollMs: limits.pollMs,
    providers: deps.providers,
    rotation: createRotation({ db, vault }),
    tenants,
  });
  const uses = createCredentialUses({ db, logger });
  return [
    outbox,
    fold,
    createHintConsumer({ bus, db, reactor, logger, metrics }),
    createSubscriptionConsumer({ bus, keeper, logger }),
    createSubscriptionSweep({
      bus,
      db,
      keeper,
      logger,
      providers: deps.providers.filter(({ push }) => push === 'webhook').map(({ name }) => name),
      destinationOf,
      metrics,
      sweepMs: config.sweepMs,
    }),
    createKeyAnswers({ bus, findKey: createFindKey(db) }),
    createBroker({ bus, db, vault, providers, tokens: createAccessTokens({ db, vault }), uses }),
    uses.part,
    createAuditExpiry({ db, logger, days: config.auditDays }),
    ...webhooks.parts,
    createRemoval({
      ...{ bus, db, outbox, subscriptions: keeper, logger },
      ...(deps.reached && { reached: deps.reached }),
    }),
    createNudge({ db, reactor, logger }),
    createSweep({ bus, db, reactor, logger, metrics, pollMs: limits.pollMs, sweepMs: config.sweepMs }),
  ];
}
