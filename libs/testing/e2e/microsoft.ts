/** Microsoft for end-to-end tests: the simulator, what the services are to be told of it, and its mailboxes from both sides. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Account } from '@mailstream/contracts';
import { createSimulator, DEMO_CLIENT, type Simulator, type SimulatorOptions } from '@mailstream/simulators';
import type { Mailbox, System } from './harness.ts';
import { folderLine, type Listing, messageLine } from './listings.ts';

export interface Microsoft {
  readonly control: Simulator['control'];
  /** For the services. */
  readonly env: Readonly<Record<string, string>>;
  /** Connects a mailbox of the simulator as an application does for its own tenant; its import begins. */
  connect(system: System, address: string): Promise<Mailbox>;
  stop(): Promise<void>;
}

export async function startMicrosoft(options: SimulatorOptions = {}): Promise<Microsoft> {
  const simulator = await createSimulator({ startAt: Date.now(), realTime: true, ...options });
  const { control, graph, entra } = simulator;
  const dir = mkdtempSync(join(tmpdir(), 'mailstream-microsoft-'));
  const caFile = join(dir, 'ca.pem');
  writeFileSync(caFile, graph.ca);
  return {
    control,
    env: {
      MS_GRAPH_URL: graph.url,
      MS_AUTHORITY: `${entra.url}/common`,
      MS_CLIENT_ID: DEMO_CLIENT.id,
      MS_CLIENT_SECRET: DEMO_CLIENT.secret ?? '',
      NODE_EXTRA_CA_CERTS: caFile,
    },
    async connect({ rest }, address) {
      const body = { provider: 'microsoft', settings: { mailbox: address }, credential: { kind: 'app' } };
      const { id } = await rest.send(Account, 'POST', '/v1/accounts', body);
      return { account: id, truth: async () => listingOf(control, address) };
    },
    async stop() {
      await simulator.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

function listingOf(control: Simulator['control'], mailbox: string): Listing {
  const folders = new Map(control.folders({ mailbox }).map((folder) => [folder.id, folder]));
  const pathOf = (id: string): string[] => {
    const folder = folders.get(id);
    return folder && folder.parent !== null ? [...pathOf(folder.parent), folder.name] : [];
  };
  const paths = new Map([...folders.keys()].map((id) => [id, pathOf(id).join('/')]));
  const messages = control.messages({ mailbox }).map(({ id, folder, read, draft, flag, categories }) => {
    const flags = [read && 'seen', draft && 'draft', flag === 'flagged' && 'flagged', ...categories];
    return messageLine(
      paths.get(folder) ?? '',
      id,
      flags.filter((name) => name !== false),
    );
  });
  // The root is no folder of anybody's.
  return [...[...paths.values()].filter((path) => path !== '').map(folderLine), ...messages].sort();
}
