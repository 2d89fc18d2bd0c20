/** The simulated demo mailboxes in a container of their own: makes what the services beside it are told, connects the accounts, lets mail arrive. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DEFAULT_TENANT, messageOf } from '@mailstream/runtime';
import { createDevCa, type DevCa } from '@mailstream/simulators';
import { createApi } from './cli/api.ts';
import { connectDemoAccount, type Demo, keepMailArriving } from './demo.ts';
import { simulatedDemos } from './demo-simulated.ts';
import { ensureTokenKey, makeDevToken } from './dev-token.ts';
import { variable } from './env.ts';

/** Shared with the services, which read it when they start. */
const dir = variable('MAILSTREAM_DEMO_DIR') ?? '/state';
const host = variable('MAILSTREAM_DEMO_HOST') ?? 'demo';
const gatewayUrl = variable('MAILSTREAM_URL') ?? 'http://gateway:8080';

const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.on(name, () => stop.abort());

mkdirSync(dir, { recursive: true });
const tokenKey = ensureTokenKey(dir);
const token = await makeDevToken(tokenKey, DEFAULT_TENANT);
writeFileSync(join(dir, 'token'), `${token}\n`, { mode: 0o600 });

const trust = { devCa: keptCa(), caFile: join(dir, 'demo-ca.pem') };
writeFileSync(trust.caFile, trust.devCa.ca);
const ports = { graph: 7443, entra: 7444, gmail: 7445, google: 7446 };
const demos: Demo[] = [];
for (const start of simulatedDemos({ ...trust, dir, host, ports, gatewayUrl })) demos.push(await start());
const env: Record<string, string> = Object.assign({}, ...demos.map((demo) => demo.env));
writeFileSync(join(dir, 'demo.env'), lines(env), { mode: 0o600 });
say('simulators are ready');

const api = createApi({ url: gatewayUrl, token });
await Promise.all(demos.map(serve)).catch((error: unknown) => {
  if (stop.signal.aborted) return;
  process.exitCode = 1;
  say(String(error));
});
await Promise.all(demos.map((demo) => demo.stop()));

async function serve(demo: Demo): Promise<void> {
  await accountsAnswer();
  const account = await connectDemoAccount(api, demo);
  say(`${demo.name} is account ${account}`);
  await keepMailArriving(demo, stop.signal, (error) =>
    say(`a message did not get into ${demo.name}; the next one is tried: ${messageOf(error)}`),
  );
}

/** Also the service behind the gateway. */
async function accountsAnswer(): Promise<void> {
  const headers = { authorization: `Bearer ${token}` };
  const answers = () =>
    fetch(`${gatewayUrl}/v1/accounts`, { headers }).then(
      ({ ok }) => ok,
      () => false,
    );
  while (!(await answers())) await sleep(500, undefined, { signal: stop.signal });
}

/** The services read whom to trust once, when they start: another authority after a restart would be a stranger to them. */
function keptCa(): DevCa {
  const file = join(dir, 'demo-ca.json');
  if (!existsSync(file)) writeFileSync(file, JSON.stringify(createDevCa([host])), { mode: 0o600 });
  const kept: DevCa = JSON.parse(readFileSync(file, 'utf8'));
  return kept;
}

function lines(values: Readonly<Record<string, string>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${JSON.stringify(value)}\n`)
    .join('');
}

function say(line: string): void {
  process.stderr.write(`mailstream: ${line}\n`);
}
