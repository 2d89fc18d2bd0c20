/** The stack beside a simulator of Microsoft Graph, in this process, with one mailbox of generated mail. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AccountRef } from '@mailstream/contracts';
import { createSimulator, DEMO_CLIENT, type Simulator } from '@mailstream/simulators';
import { type Bench, startBench } from './bench.ts';

export const ADDRESS = 'bench@contoso.example.com';

export interface GraphBench extends Omit<Bench, 'addAccount' | 'defer'> {
  readonly control: Simulator['control'];
  /** Connects a mailbox, or the one, as one more account; returns at once. */
  addAccount(address?: string): Promise<AccountRef>;
}

/** No throttling, no delays, unless `control` is told so: what is measured is ours. */
export async function startGraphBench(options: {
  /** In the one mailbox. */
  readonly messages: number;
  readonly env?: Readonly<Record<string, string>>;
}): Promise<GraphBench> {
  const simulator = await createSimulator({ startAt: Math.round(Date.now()), realTime: true });
  const { control, graph, entra } = simulator;
  control.createMailbox({ address: ADDRESS, messages: options.messages });
  const bench = await startBench(async ({ dir, defer }) => {
    defer(() => simulator.close());
    const caFile = join(dir, 'ca.pem');
    writeFileSync(caFile, graph.ca);
    return {
      MS_GRAPH_URL: graph.url,
      MS_AUTHORITY: `${entra.url}/common`,
      MS_CLIENT_ID: DEMO_CLIENT.id,
      MS_CLIENT_SECRET: DEMO_CLIENT.secret ?? '',
      NODE_EXTRA_CA_CERTS: caFile,
      ...options.env,
    };
  });
  const request = (mailbox: string) => ({
    provider: 'microsoft',
    settings: { mailbox },
    credential: { kind: 'app' },
  });
  return { ...bench, control, addAccount: (address = ADDRESS) => bench.addAccount(request(address)) };
}
