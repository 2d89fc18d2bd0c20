/** The mailbox projector: folds the log into the mailbox view, publishes what changed, answers reads. */
import { connectBus, createFindApiKey } from '@mailstream/bus';
import { openDatabase } from '@mailstream/db';
import { createFold, createOutbox } from '@mailstream/fold';
import {
  createAuthenticate,
  createHttpServer,
  type Environment,
  httpPart,
  type Logger,
  type Part,
  type Service,
} from '@mailstream/runtime';
import { createReaders } from './changes/readers.ts';
import { readConfig } from './config.ts';
import { createEraser } from './eraser.ts';
import { PROJECTOR_SCHEMAS, VIEW_SCHEMA } from './migrate.ts';
import { projector } from './projector.ts';
import { registerChangesRoute } from './routes/changes.ts';
import { registerHistoryRoute } from './routes/history.ts';
import { registerMailboxRoutes } from './routes/mailboxes.ts';
import { registerMessageRoutes } from './routes/messages.ts';
import { registerSnapshotRoutes } from './routes/snapshot.ts';
import { registerStatusRoutes } from './routes/status.ts';
import { registerThreadRoutes } from './routes/threads.ts';

/** Opens what it needs and wires its parts; `source` is the environment it reads, the process's own when absent. */
export async function startProjector(logger: Logger, source?: Environment): Promise<Service> {
  const config = readConfig(source);
  const { db, tenants, close } = await openDatabase({
    urls: config.database,
    schemas: PROJECTOR_SCHEMAS,
    schema: VIEW_SCHEMA.schema,
    applicationName: 'mailbox-projector',
    logger,
  });
  const bus = await connectBus({ ...config.nats, name: 'mailbox-projector', logger });
  await bus.waitForTopology();

  const fold = createFold({ bus, db, logger, definition: projector });
  const outbox = createOutbox({ bus, db, logger, name: 'erased' });
  const eraser = createEraser({ db, outbox, logger });

  const authenticate = createAuthenticate(config.auth, createFindApiKey(bus));
  const app = await createHttpServer({
    title: 'Mailstream mailbox projector',
    logger,
    authenticate,
    ready: async () => bus.connected() && (await db.query('select 1')).length === 1,
  });
  registerMessageRoutes(app, tenants);
  registerHistoryRoute(app, { bus, tenants });
  registerThreadRoutes(app, tenants);
  registerMailboxRoutes(app, tenants);
  registerSnapshotRoutes(app, { bus, tenants });
  registerChangesRoute(app, createReaders({ bus, logger, authenticate, limits: config.readers }));
  registerStatusRoutes(app, { bus, db, tenants, fold });
  const readers: Part = { name: 'readers of changes', run: (signal) => bus.lendReaders(signal) };
  return {
    parts: [fold, outbox, eraser, readers, httpPart(app, config.http)],
    close: [() => bus.close(), close],
  };
}
