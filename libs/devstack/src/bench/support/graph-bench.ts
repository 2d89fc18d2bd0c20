/** The stack beside a simulator of Microsoft Graph, in this process, with mailboxes of generated mail. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountRef } from '@mailstream/contracts';
import { createSimulator, DEMO_CLIENT, type Simulator } from '@mailstream/simulators';
import { type Bench, startBench } from './bench.ts';

export interface GraphBench extends Omit<Bench, 'addAccount' | 'defer'> {
  readonly control: Simulator['control'];
  /** Makes a mailbox; what is returned connects it as an account, and does not wait for its import. */
  addMailbox(messages: number, address?: string): () => Promise<AccountRef>;
}

/** No throttling, no delays, unless `control` is told so: what is measured is ours. `env` is for the services. */
export async function startGraphBench(env: Readonly<Record<string, string>> = {}): Promise<GraphBench> {
  const simulator = await createSimulator({ startAt: Date.now(), realTime: true });
  const { control, graph, entra } = simulator;
  const bench = await startBench(async ({ dir, defer }) => {
    defer(() => simulator.close());
    const caFile = join(dir, 'ca.pem');
    writeFileSync(caFile, graph.ca);
    const microsoft = {
      MS_GRAPH_URL: graph.url,
      MS_AUTHORITY: `${entra.url}/common`,
      MS_CLIENT_ID: DEMO_CLIENT.id,
      MS_CLIENT_SECRET: DEMO_CLIENT.secret ?? '',
      NODE_EXTRA_CA_CERTS: caFile,
    };
    return { env: { ...microsoft, ...env }, notifiedLocally: true };
  });
  let made = 0;
  return {
    ...bench,
    control,
    addMailbox(messages, address = `bench-${made}@contoso.example.com`) {
      made += 1;
      control.createMailbox({ address, messages });
      return () =>
        bench.addAccount({
          provider: 'microsoft',
          settings: { mailbox: address },
          credential: { kind: 'app' },
        });
    },
  };
}
