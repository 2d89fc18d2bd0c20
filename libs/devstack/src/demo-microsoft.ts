/** The demo Microsoft mailbox: a simulator of Microsoft Graph and Entra in this process, which forgets all but its generated mail when it ends. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSimulator, DEMO_CLIENT } from '@mailstream/simulators';
import { DEMO_MESSAGES, type Demo } from './demo.ts';

const ADDRESS = 'ada@contoso.example.com';

/** The ports stay the same from run to run: links into change feeds name them. */
export interface DemoMicrosoftOptions {
  readonly dir: string;
  readonly graphPort: number;
  readonly entraPort: number;
}

export async function startDemoMicrosoft({ dir, graphPort, entraPort }: DemoMicrosoftOptions): Promise<Demo> {
  mkdirSync(dir, { recursive: true });
  const startAt = firstStart(dir);
  const simulator = await createSimulator({
    seed: 1,
    startAt,
    realTime: true,
    ports: { graph: graphPort, entra: entraPort },
  });
  const { control, graph, entra } = simulator;
  control.createMailbox({ address: ADDRESS, messages: DEMO_MESSAGES });
  control.advance({ ms: Math.max(0, Date.now() - startAt) });
  const caFile = join(dir, 'ca.pem');
  writeFileSync(caFile, graph.ca);
  const deliver = `curl --cacert ${caFile} ${new URL(graph.url).origin}/__sim/deliver -d '{"mailbox":"${ADDRESS}"}'`;
  return {
    name: 'demo',
    account: { provider: 'microsoft', settings: { mailbox: ADDRESS }, credential: { kind: 'app' } },
    pushes: true,
    env: {
      MS_GRAPH_URL: graph.url,
      MS_AUTHORITY: `${entra.url}/common`,
      MS_CLIENT_ID: DEMO_CLIENT.id,
      MS_CLIENT_SECRET: DEMO_CLIENT.secret ?? '',
      NODE_EXTRA_CA_CERTS: caFile,
    },
    howToChange: [deliver],
    child: null,
    arrive: async () => void control.deliver({ mailbox: ADDRESS }),
    stop: () => simulator.close(),
  };
}

/** When the mailbox was first made, milliseconds: from the same moment on, the same mail is generated again. */
function firstStart(dir: string): number {
  const file = join(dir, 'first-start');
  if (!existsSync(file)) writeFileSync(file, String(Date.now()));
  return Number(readFileSync(file, 'utf8'));
}
