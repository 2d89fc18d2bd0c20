/** `nats-user add` and `remove`: subscribers of a tenant, who may follow its changes and ask for syncs over NATS, and nothing else. */
import { join } from 'node:path';
import { isToken } from '@mailstream/contracts';
import { reloadNats } from '../../nats-server.ts';
import { addSubscriber, removeSubscriber } from '../../nats-users.ts';
import { STATE_DIR } from '../../paths.ts';
import { parse } from '../arguments.ts';
import type { Command, Context } from '../command.ts';
import { CliError, UsageError } from '../errors.ts';

const OPTIONS = `  --tenant <name>   whose changes; default: default
  --name <name>     of the subscriber, a program of yours
  --out <dir>       that of \`nats-config\`; default: that of \`npm start\``;

const OWN_USERS = join(STATE_DIR, 'nats-users');

/** The server of `npm start` we can tell ourselves. */
async function reload(out: string, context: Context): Promise<void> {
  if (out !== OWN_USERS || !(await reloadNats(join(STATE_DIR, 'nats'))))
    context.note(
      'it counts as soon as the server has read it: `nats-server --signal reload`, twice for a new tenant',
    );
}

export const natsUserAdd: Command = {
  name: 'nats-user add',
  summary: 'Let a program follow the changes of a tenant over NATS',
  usage: `--name <name> [options]

Writes its seed, for NATS_NKEY_SEED_FILE or the option \`nkeySeed\` of the client.

${OPTIONS}`,
  async run(args, context) {
    const { tenant, name, out } = read(args);
    const seed = addSubscriber(out, tenant, name);
    if (seed === null)
      throw new CliError(`there is a "${name}" of ${tenant}: to give it another key, remove it first`);
    context.out(seed);
    await reload(out, context);
    return 0;
  },
};

export const natsUserRemove: Command = {
  name: 'nats-user remove',
  summary: 'Take that back',
  usage: `--name <name> [options]\n\n${OPTIONS}`,
  async run(args, context) {
    const { tenant, name, out } = read(args);
    if (!removeSubscriber(out, tenant, name)) throw new CliError(`there is no "${name}" of ${tenant}`);
    await reload(out, context);
    return 0;
  },
};

function read(args: readonly string[]): { tenant: string; name: string; out: string } {
  const { values } = parse(args, {
    tenant: { type: 'string', default: 'default' },
    name: { type: 'string' },
    out: { type: 'string', default: OWN_USERS },
  });
  const { tenant, name, out } = values;
  if (name === undefined || !isToken(name) || !isToken(tenant))
    throw new UsageError('--tenant and --name must be letters, digits, _ and -, at most 64 of them');
  return { tenant, name, out };
}
