/** `nats-config`: who may connect to NATS and what each may do, as configuration for the server and a key for each service. */
import { join } from 'node:path';
import { accountsFile, ensureServiceUsers } from '../../nats-users.ts';
import { parse } from '../arguments.ts';
import type { Command } from '../command.ts';
import { UsageError } from '../errors.ts';

export const natsConfig: Command = {
  name: 'nats-config',
  summary: 'Make keys and permissions for the services on a NATS server of yours',
  usage: `--out <dir>

  --out <dir>   where they are kept; run it again after an update of Mailstream: keys that are there stay

In nats-server.conf: \`include <dir>/accounts.conf\`. Each service gets its seed, by NATS_NKEY_SEED_FILE; the server needs none of them, so
they can be moved away. To exchange a key delete its .pub file, run this again, reload the server, and start the service with the new seed.`,
  async run(args, context) {
    const { values } = parse(args, { out: { type: 'string' } });
    if (values.out === undefined) throw new UsageError('--out is missing: say where to keep the keys');
    const made = ensureServiceUsers(values.out);
    for (const file of made) context.out(`new key: ${file}`);
    context.out(`permissions: ${accountsFile(values.out)}`);
    context.note(
      `include it in the server's configuration, reload the server, and set NATS_NKEY_SEED_FILE=${join(values.out, 'services', '<service>.seed')}`,
    );
    return 0;
  },
};
