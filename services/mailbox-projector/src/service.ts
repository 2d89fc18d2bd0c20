/** The mailbox projector: folds the log into the mailbox view, publishes what changed, answers reads. */
import { connectBus, createFindApiKey } from '@mailstream/bus';
import { openDatabase } from '@mailstream/db';
import { createFold, createOutbox } from '@mailstream/fold';
import {
  createAuthenticate,
  createHttpServer,
  type Environment,
  httpPart,
  type Part,
  probesOf,
  type Service,
  type ServiceKit,
} from '@mailstream/runtime';
import { createReaders } from './changes/readers.ts';
import { readConfig } from './config.ts';
import { createEraser } from './eraser.ts';
import { PROJECTOR_SCHEMAS, VIEW_SCHEMA } from './migrate.ts';
import { observeView } from './observe.ts';
import { projector } from './projector.ts';
import { registerRoutes } from './routes/index.ts';

/** Opens what it needs and wires its parts; `source` is the environment it reads, the process's own when absent. */
export async function startProjector(
  { logger, metrics, health }: ServiceKit,
  source?: Environment,
): Promise<Service> {
  const config = readConfig(source);
  const { db, tenants, close } = await openDatabase({
    urls: config.database,
    schemas: PROJECTOR_SCHEMAS,
    schema: VIEW_SCHEMA.schema,
    applicationName: 'mailbox-projector',
    logger,
    metrics,
  });
  health.need('postgres', async () => (await db.query('SELECT 1')).length === 1);
  const bus = await connectBus({ ...config.nats, name: 'mailbox-projector', logger });
  health.need('nats', () => bus.connected());
  await bus.waitForTopology();

  const fold = createFold({ bus, db, logger, metrics, health, definition: projector });
  const outbox = createOutbox({ bus, db, logger, name: 'erased' });
  const eraser = createEraser({ db, outbox, logger });

  observeView(metrics, db);

  const authenticate = createAuthenticate(config.auth, createFindApiKey(bus));
  const app = await createHttpServer({
    title: 'Mailstream mailbox projector',
    logger,
    authenticate,
    metrics,
    ...probesOf(health),
  });
  const readers = createReaders({ bus, logger, authenticate, limits: config.readers });
  registerRoutes(app, { bus, db, tenants, fold, readers });
  const lending: Part = { name: 'readers of changes', run: (signal) => bus.lendReaders(signal) };
  return {
    parts: [fold, outbox, eraser, lending, httpPart(app, config.http)],
    close: [() => bus.close(), close],
  };
}
