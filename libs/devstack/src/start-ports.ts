/** The ports of `npm start`: eleven in a row from MAILSTREAM_PORT, so that one variable moves them all. */
import { type ExternalServers, variable } from './env.ts';
import { isPortFree } from './ports.ts';
import type { Ports } from './stack.ts';

const DEFAULT_BASE = 8080;

export type StartPorts = Ports & {
  readonly 'demo IMAP': number;
  readonly 'demo Graph': number;
  readonly 'demo Entra': number;
  readonly 'demo Gmail': number;
  readonly 'demo Google': number;
};

/** Throws when MAILSTREAM_PORT is not a port. */
export function readStartPorts(): StartPorts {
  const base = Number(variable('MAILSTREAM_PORT') ?? DEFAULT_BASE);
  if (!Number.isInteger(base) || base < 1024 || base > 65_000) {
    throw new Error(
      `MAILSTREAM_PORT must be a number from 1024 to 65000, not "${variable('MAILSTREAM_PORT')}"`,
    );
  }
  return {
    'ingest-gateway': base,
    'sync-orchestrator': base + 1,
    'provider-fetcher': base + 2,
    'mailbox-projector': base + 3,
    postgres: base + 4,
    'nats-server': base + 5,
    'demo IMAP': base + 6,
    'demo Graph': base + 7,
    'demo Entra': base + 8,
    'demo Gmail': base + 9,
    'demo Google': base + 10,
  };
}

/** Throws with every port that another program has, and how to choose others. Servers of yours need none from us. */
export async function checkPortsAreFree(ports: StartPorts, external: ExternalServers): Promise<void> {
  const taken: string[] = [];
  for (const [name, port] of Object.entries(ports)) {
    if (name === 'nats-server' && external.natsUrl !== undefined) continue;
    if (name === 'postgres' && external.databaseUrl !== undefined) continue;
    if (!(await isPortFree(port))) taken.push(`${port} (for ${name})`);
  }
  if (taken.length === 0) return;
  throw new Error(
    `another program uses port ${taken.join(', ')}.\n` +
      'Stop it, or choose other ports, of which Mailstream takes eleven in a row: MAILSTREAM_PORT=9080 npm start',
  );
}
