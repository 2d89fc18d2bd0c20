/** A process that folds until it kills itself at a given moment: `testkit-crash-child.ts <nats> <postgres> <seam> <hit>`. Used by a test. */
import { connectBus } from '@mailstream/bus';
import { createDb } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { createFold } from './create-fold.ts';
import { createKeeper } from './testkit-keeper.ts';

const [, , natsUrl = '', databaseUrl = '', seam, hit] = process.argv;
const silent = createLogger('crash child', 'silent');
const bus = await connectBus({ url: natsUrl, name: 'crash child', logger: silent });
const db = createDb({ url: databaseUrl, max: 10, applicationName: 'crash child', logger: silent });

let hits = 0;
const fold = createFold({
  bus,
  db,
  logger: silent,
  definition: createKeeper(),
  leases: 'ignored',
  seams: {
    reach(reached) {
      if (reached !== seam) return;
      hits += 1;
      if (hits === Number(hit)) process.kill(process.pid, 'SIGKILL');
    },
  },
});
await fold.run(new AbortController().signal);
