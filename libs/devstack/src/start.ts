/** `npm start`: the whole of Mailstream on this machine with demo mailboxes. Ctrl-C stops it; its state stays in `.mailstream/`. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '@mailstream/runtime';
import { createDevCa } from '@mailstream/simulators';
import { type Child, logTail, stopLeftovers } from './child.ts';
import { type Api, createApi } from './cli/api.ts';
import { connectDemoAccount, type Demo, keepMailArriving, waitForImport } from './demo.ts';
import { startDemoImap } from './demo-imap.ts';
import { simulatedDemos } from './demo-simulated.ts';
import { externalServers, variable } from './env.ts';
import { STATE_DIR } from './paths.ts';
import { startStack } from './stack.ts';
import { checkPortsAreFree, readStartPorts, type StartPorts } from './start-ports.ts';
import { demoLines, whatNext } from './start-texts.ts';
import { claimState, readRunState, writeRunState, writeToken } from './state.ts';

const IMPORT_MS = 60_000;

const stop = stopRequest();
const claim = claimState();
if ('owner' in claim) {
  const where = readRunState()?.url;
  fail(
    `it runs already (pid ${claim.owner})${where === undefined ? '' : ` at ${where}`}; Ctrl-C there stops it`,
  );
} else {
  await run(stop).catch((error: unknown) => {
    if (!stop.aborted) fail(messageOf(error));
  });
  claim.release();
}

async function run(stop: AbortSignal): Promise<void> {
  await using opened = new AsyncDisposableStack();
  await stopLeftovers(STATE_DIR);
  const external = externalServers();
  const ports = readStartPorts();
  await checkPortsAreFree(ports, external);

  const demos: Demo[] = [];
  opened.defer(async () => void (await Promise.all(demos.map((demo) => demo.stop()))));
  for (const start of demosToStart(ports)) {
    const demo = await start().catch((error: unknown) => say(`no demo mailbox: ${messageOf(error)}`));
    if (demo) demos.push(demo);
    stop.throwIfAborted();
  }
  const env = Object.assign({}, ...demos.map((demo) => demo.env));
  const notifiedLocally =
    demos.some(({ callsPublicUrl }) => callsPublicUrl) && variable('MAILSTREAM_PUBLIC_URL') === undefined;
  const options = { ...external, dir: STATE_DIR, ports, notifiedLocally, env, onProgress: say };
  const stack = await startStack(options);
  opened.defer(() => stack.stop());
  opened.defer(async () => say('stopping; the state stays in .mailstream/'));
  stop.throwIfAborted();

  const { url, token, natsUrl, databaseUrl } = stack;
  writeRunState({ pid: process.pid, url, natsUrl, databaseUrl, tokenFile: writeToken(token) });
  const api = createApi({ url, token });
  const accounts: string[] = [];
  for (const demo of demos) accounts.push(await showDemo(api, demo, stop));
  show([
    `Mailstream runs at ${url}`,
    `API token, for everything, for a year; also in .mailstream/token:\n  ${token}`,
    '',
    ...whatNext({
      url,
      natsUrl,
      natsKeyFile: stack.operatorSeedFile,
      demo: demos[0]?.name,
      account: accounts[0],
    }),
  ]);
  show(['', 'Ctrl-C stops it.']);

  const children = [...stack.units.map((unit) => unit.child()), ...demos.flatMap(({ child }) => child ?? [])];
  await Promise.race([aborted(stop), ...children.map(unexpectedEnd)]);
}

/** Everything else works without a demo mailbox. */
function demosToStart(ports: StartPorts): (() => Promise<Demo>)[] {
  const devCa = createDevCa();
  const caFile = join(STATE_DIR, 'demo-ca.pem');
  writeFileSync(caFile, devCa.ca);
  const simulated = simulatedDemos({
    devCa,
    caFile,
    dir: STATE_DIR,
    host: '127.0.0.1',
    ports: {
      graph: ports['demo Graph'],
      entra: ports['demo Entra'],
      gmail: ports['demo Gmail'],
      google: ports['demo Google'],
    },
    gatewayUrl: `http://127.0.0.1:${ports['ingest-gateway']}`,
  });
  return [...simulated, () => startDemoImap(join(STATE_DIR, 'demo-mail'), ports['demo IMAP'], say)];
}

/** Connects a demo mailbox, waits until it is in the view, shows it, and lets mail arrive. Returns the account's id. */
async function showDemo(api: Api, demo: Demo, stop: AbortSignal): Promise<string> {
  const account = await connectDemoAccount(api, demo);
  say(`importing the mailbox ${demo.name} ...`);
  const imported = await waitForImport(api, account, IMPORT_MS, stop);
  show(['', ...demoLines(demo, imported)]);
  void keepMailArriving(demo, stop, (error) =>
    say(`a message did not get into the mailbox ${demo.name}; the next one is tried: ${messageOf(error)}`),
  );
  return account;
}

async function unexpectedEnd(child: Child): Promise<never> {
  const how = await child.exited;
  throw new Error(
    `${child.name} ended unexpectedly (${how}); the end of ${child.logFile}:\n${logTail(child)}`,
  );
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}

/** Ctrl-C arrives more than once: from the terminal, from npm, from the bootstrap. Once is enough. */
function stopRequest(): AbortSignal {
  const controller = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(name, () => controller.abort());
  return controller.signal;
}

/** What the person is to read. */
function show(lines: readonly string[]): void {
  console.log(lines.join('\n'));
}

/** Progress and problems. */
function say(line: string): void {
  console.error(`mailstream: ${line}`);
}

function fail(message: string): void {
  say(message);
  process.exitCode = 1;
}
