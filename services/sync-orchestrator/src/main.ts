/** The sync orchestrator: owns accounts and credentials, and decides what is fetched when. */
import { connectBus } from '@mailstream/bus';
import { createDb, migrate } from '@mailstream/db';
import { createFold, createOutbox, migrateFold } from '@mailstream/fold';
import { PROVIDERS } from '@mailstream/providers';
import { createHttpServer, createLogger, createTokenAuth, httpPart, runService } from '@mailstream/runtime';
import { createAccounts } from './accounts/accounts.ts';
import { createProviderCatalog } from './accounts/provider-catalog.ts';
import { createBackPressure } from './back-pressure.ts';
import { readConfig } from './config.ts';
import { createBroker } from './credentials/broker.ts';
import { createVault, loadKey } from './credentials/vault.ts';
import { createOrchestratorFold } from './fold.ts';
import { createHintConsumer } from './hints.ts';
import { createReactor } from './react.ts';
import { registerAccountRoutes } from './routes/accounts.ts';
import { registerStatusRoutes } from './routes/status.ts';
import { createSweep } from './sweep.ts';

const logger = createLogger('sync-orchestrator');

await runService(logger, async () => {
  const config = readConfig();
  const vault = createVault(await loadKey(config.key));
  await migrateFold(config.databaseUrl, logger);
  await migrate(config.databaseUrl, {
    schema: 'control',
    dir: `${import.meta.dirname}/../migrations`,
    logger,
  });
  const db = createDb({ url: config.databaseUrl, max: 10, applicationName: 'sync-orchestrator', logger });
  const bus = await connectBus({ url: config.natsUrl, name: 'sync-orchestrator', logger });
  await bus.ensureTopology({ replicas: config.replicas });

  const catalog = createProviderCatalog(PROVIDERS);
  const outbox = createOutbox({ bus, db, logger, name: 'control' });
  const backfillAllowed = createBackPressure({ bus, db, maxLag: config.maxLag });
  const reactor = createReactor({
    bus,
    db,
    outbox,
    limits: config.limits,
    backfillAllowed,
    pushOf: (name) => catalog.get(name).push,
  });
  const fold = createFold({ bus, db, logger, definition: createOrchestratorFold(reactor) });
  const accounts = createAccounts({
    bus,
    db,
    outbox,
    reactor,
    vault,
    providers: catalog,
    pollMs: config.limits.pollMs,
  });

  const app = await createHttpServer({
    title: 'Mailstream sync orchestrator',
    logger,
    authenticate: createTokenAuth(config.apiToken),
    ready: () => bus.connected(),
  });
  registerAccountRoutes(app, { accounts, db });
  registerStatusRoutes(app, { accounts, bus, db });
  return {
    parts: [
      outbox,
      fold,
      createHintConsumer({ bus, reactor, logger }),
      createBroker({ bus, db, vault }),
      createSweep({ bus, db, reactor, logger, pollMs: config.limits.pollMs, sweepMs: config.sweepMs }),
      httpPart(app, config.http),
    ],
    close: [() => bus.close(), () => db.close()],
  };
});
