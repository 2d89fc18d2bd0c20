/** The sync orchestrator: owns accounts and credentials, and decides what is fetched when. */
import { connectBus } from '@mailstream/bus';
import { openDatabase } from '@mailstream/db';
import { createProviders } from '@mailstream/providers';
import {
  createAuthenticate,
  createHttpServer,
  type Environment,
  httpPart,
  probesOf,
  type Service,
  type ServiceKit,
} from '@mailstream/runtime';
import { createFindKey } from './api-keys/find-api-key.ts';
import { readConfig } from './config.ts';
import { upgradeFirstFormat } from './credentials/first-format.ts';
import { openKeys } from './credentials/keys-config.ts';
import { createVault } from './credentials/vault.ts';
import { ORCHESTRATOR_SCHEMAS } from './migrate.ts';
import { createOrchestrator } from './orchestrator.ts';
import { createTopologyKeeper } from './topology.ts';

/** Opens what it needs and wires its parts; `source` is the environment it reads, the process's own when absent. */
export async function startOrchestrator(
  { logger, metrics, health }: ServiceKit,
  source?: Environment,
): Promise<Service> {
  const config = readConfig(source);
  const { keys, local } = await openKeys(config.keys, logger);
  const vault = createVault(keys);
  const { db, tenants, close } = await openDatabase({
    urls: config.database,
    schemas: ORCHESTRATOR_SCHEMAS,
    applicationName: 'sync-orchestrator',
    logger,
    metrics,
  });
  health.need('postgres', async () => (await db.query('SELECT 1')).length === 1);
  await upgradeFirstFormat({ db, vault, keys: local, logger });
  const bus = await connectBus({ ...config.nats, name: 'sync-orchestrator', logger });
  health.need('nats', () => bus.connected());
  await bus.ensureTopology(config.topology);

  const app = await createHttpServer({
    title: 'Mailstream sync orchestrator',
    logger,
    authenticate: createAuthenticate(config.auth, createFindKey(db)),
    ...probesOf(health),
    metrics,
  });
  const providers = createProviders(config.providers);
  const parts = createOrchestrator({
    bus,
    db,
    tenants,
    vault,
    app,
    logger,
    metrics,
    health,
    config,
    providers,
  });
  const topology = createTopologyKeeper({ bus, logger, options: config.topology });
  return {
    parts: [topology, ...parts, httpPart(app, config.http)],
    close: [() => bus.close(), close],
  };
}
