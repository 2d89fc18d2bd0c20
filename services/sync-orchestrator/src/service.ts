/** The sync orchestrator: owns accounts and credentials, and decides what is fetched when. */
import { connectBus } from '@mailstream/bus';
import { createDb } from '@mailstream/db';
import { createProviders } from '@mailstream/providers';
import {
  createAuthenticate,
  createHttpServer,
  createMetrics,
  type Environment,
  httpPart,
  type Logger,
  type Service,
} from '@mailstream/runtime';
import { createFindKey } from './api-keys/find-api-key.ts';
import { readConfig } from './config.ts';
import { upgradeFirstFormat } from './credentials/first-format.ts';
import { openKeys } from './credentials/keys-config.ts';
import { createVault } from './credentials/vault.ts';
import { migrateOrchestrator } from './migrate.ts';
import { createOrchestrator } from './orchestrator.ts';
import { createTopologyKeeper } from './topology.ts';

/** Opens what it needs and wires its parts; `source` is the environment it reads, the process's own when absent. */
export async function startOrchestrator(logger: Logger, source?: Environment): Promise<Service> {
  const config = readConfig(source);
  const { keys, local } = await openKeys(config.keys, logger);
  const vault = createVault(keys);
  await migrateOrchestrator(config.databaseUrl, logger);
  const db = createDb({ url: config.databaseUrl, max: 20, applicationName: 'sync-orchestrator', logger });
  await upgradeFirstFormat({ db, vault, keys: local, logger });
  const bus = await connectBus({ ...config.nats, name: 'sync-orchestrator', logger });
  await bus.ensureTopology({ replicas: config.replicas });

  const metrics = createMetrics();
  const app = await createHttpServer({
    title: 'Mailstream sync orchestrator',
    logger,
    authenticate: createAuthenticate(config.auth, createFindKey(db)),
    ready: async () => bus.connected() && (await db.query('SELECT 1')).length === 1,
    metrics,
  });
  const providers = createProviders(config.providers);
  const parts = createOrchestrator({ bus, db, vault, app, logger, metrics, config, providers });
  const topology = createTopologyKeeper({ bus, logger, replicas: config.replicas });
  return {
    parts: [topology, ...parts, httpPart(app, config.http)],
    close: [() => bus.close(), () => db.close()],
  };
}
