/** The demo Microsoft mailbox: a simulator of Microsoft Graph and Entra in this process, which forgets all but its generated mail when it ends. */
import { mkdirSync } from 'node:fs';
import { createSimulator, DEMO_CLIENT } from '@mailstream/simulators';
import { DEMO_MESSAGES, type Demo, type DemoTrust } from './demo.ts';
import { firstStart } from './first-start.ts';

const ADDRESS = 'ada@contoso.example.com';

/** The ports stay the same from run to run: links into change feeds name them. */
export interface DemoMicrosoftOptions extends DemoTrust {
  readonly dir: string;
  /** Under which name the services reach it. */
  readonly host: string;
  readonly graphPort: number;
  readonly entraPort: number;
}

export async function startDemoMicrosoft(options: DemoMicrosoftOptions): Promise<Demo> {
  const { dir, host, graphPort, entraPort, devCa, caFile } = options;
  mkdirSync(dir, { recursive: true });
  const startAt = firstStart(dir);
  const simulator = await createSimulator({
    seed: 1,
    startAt,
    realTime: true,
    host,
    devCa,
    ports: { graph: graphPort, entra: entraPort },
  });
  const { control, graph, entra } = simulator;
  control.createMailbox({ address: ADDRESS, messages: DEMO_MESSAGES });
  control.advance({ ms: Math.max(0, Date.now() - startAt) });
  const deliver = `curl --cacert ${caFile} ${new URL(graph.url).origin}/__sim/deliver -d '{"mailbox":"${ADDRESS}"}'`;
  return {
    name: 'demo',
    account: { provider: 'microsoft', settings: { mailbox: ADDRESS }, credential: { kind: 'app' } },
    callsPublicUrl: true,
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
