/** Runs a simulator by itself: `node src/main.ts --messages 2000 --profile chaos`. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSimulator, DEMO_CLIENT } from './simulator.ts';

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: 'ada@contoso.example.com' },
    messages: { type: 'string', default: '2000' },
    profile: { type: 'string', default: 'plain' },
    seed: { type: 'string', default: '1' },
    'graph-port': { type: 'string', default: '7443' },
    'entra-port': { type: 'string', default: '7444' },
    'ca-file': { type: 'string', default: join(tmpdir(), 'simulator-ca.pem') },
    'arrive-every': { type: 'string', default: '10' },
  },
});
const simulator = await createSimulator({
  seed: Number(values.seed),
  profile: values.profile === 'chaos' ? 'chaos' : 'plain',
  startAt: Math.round(performance.timeOrigin),
  realTime: true,
  autoConsent: false,
  ports: { graph: Number(values['graph-port']), entra: Number(values['entra-port']) },
});
const { address } = simulator.control.createMailbox({
  address: values.address,
  messages: Number(values.messages),
});
const arrivals = setInterval(
  () => simulator.control.deliver({ mailbox: address }),
  Number(values['arrive-every']) * 1_000,
);
writeFileSync(values['ca-file'], simulator.graph.ca);
const say = (line: string) => process.stdout.write(`${line}\n`);
say(`Graph    ${simulator.graph.url}`);
say(`Entra    ${simulator.entra.url}/common (client ${DEMO_CLIENT.id}, secret ${DEMO_CLIENT.secret})`);
say(`Trust    NODE_EXTRA_CA_CERTS=${values['ca-file']}`);
say(`Mailbox  ${address}, ${values.messages} messages, one more every ${values['arrive-every']} s`);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    clearInterval(arrivals);
    void simulator.close();
  });
