/** Runs a simulator by itself: `node src/main.ts --messages 2000 --profile chaos`. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createSimulator, DEMO_CLIENT, DEMO_GOOGLE_CLIENT } from './simulator.ts';

const { values } = parseArgs({
  options: {
    address: { type: 'string', default: 'ada@contoso.example.com' },
    messages: { type: 'string', default: '2000' },
    profile: { type: 'string', default: 'plain' },
    seed: { type: 'string', default: '1' },
    'graph-port': { type: 'string', default: '7443' },
    'entra-port': { type: 'string', default: '7444' },
    'gmail-address': { type: 'string', default: 'ada@example.com' },
    'gmail-port': { type: 'string', default: '7445' },
    'google-port': { type: 'string', default: '7446' },
    'pubsub-port': { type: 'string', default: '7447' },
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
  ports: {
    graph: Number(values['graph-port']),
    entra: Number(values['entra-port']),
    gmail: Number(values['gmail-port']),
    google: Number(values['google-port']),
    pubsub: Number(values['pubsub-port']),
  },
});
const addresses = [values.address, values['gmail-address']];
for (const [index, address] of addresses.entries())
  simulator.control.createMailbox({
    address,
    provider: index === 0 ? 'microsoft' : 'google',
    messages: Number(values.messages),
  });
const arrivals = setInterval(() => {
  for (const mailbox of addresses) simulator.control.deliver({ mailbox });
}, Number(values['arrive-every']) * 1_000);
writeFileSync(values['ca-file'], simulator.graph.ca);
const say = (line: string) => process.stdout.write(`${line}\n`);
say(`Graph    ${simulator.graph.url}`);
say(`Entra    ${simulator.entra.url}/common (client ${DEMO_CLIENT.id}, secret ${DEMO_CLIENT.secret})`);
say(`Gmail    ${simulator.gmail.url}`);
say(
  `Google   ${simulator.google.url} (client ${DEMO_GOOGLE_CLIENT.id}, secret ${DEMO_GOOGLE_CLIENT.secret})`,
);
say(`Pub/Sub  ${simulator.pubsub.url} (project ${DEMO_GOOGLE_CLIENT.project})`);
say(`Trust    NODE_EXTRA_CA_CERTS=${values['ca-file']}`);
say(
  `Mail     ${addresses.join(' and ')}: ${values.messages} messages each, one more every ${values['arrive-every']} s`,
);

for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    clearInterval(arrivals);
    void simulator.close();
  });
