/** `npm start`: the whole of Mailstream on this machine with a demo mailbox. Ctrl-C stops it; its state stays in `.mailstream/`. */
import { once } from 'node:events';
import { join } from 'node:path';
import { type Child, logTail, stopLeftovers } from './child.ts';
import { type Api, createApi } from './cli/api.ts';
import { connectDemoAccount, keepMailArriving, startDemoServer, waitForImport } from './demo-account.ts';
import type { Dovecot } from './dovecot.ts';
import { externalServers, variable } from './env.ts';
import { STATE_DIR } from './paths.ts';
import { startStack } from './stack.ts';
import { checkPortsAreFree, readStartPorts } from './start-ports.ts';
import { demoLines, whatNext } from './start-texts.ts';
import { claimState, ensureToken, readRunState, writeRunState } from './state.ts';

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
    if (!stop.aborted) fail(error instanceof Error ? error.message : String(error));
  });
  claim.release();
}

async function run(stop: AbortSignal): Promise<void> {
  await using opened = new AsyncDisposableStack();
  await stopLeftovers(STATE_DIR);
  const external = externalServers();
  const { demo: demoPort, ...ports } = readStartPorts();
  await checkPortsAreFree({ ...ports, demo: demoPort }, external);
  const token = ensureToken(variable('MAILSTREAM_API_TOKEN'));

  const demo = await startDemo(demoPort);
  opened.defer(async () => demo?.stop());
  stop.throwIfAborted();
  const apiToken = token.text;
  const stack = await startStack({ ...external, dir: STATE_DIR, apiToken, ports, onProgress: say });
  opened.defer(() => stack.stop());
  opened.defer(async () => say('stopping; the state stays in .mailstream/'));
  stop.throwIfAborted();

  const { url, natsUrl, databaseUrl } = stack;
  writeRunState({ pid: process.pid, url, natsUrl, databaseUrl, tokenFile: token.file });
  const account = demo && (await showDemo(createApi({ url, token: apiToken }), demo, stop));
  show([
    `Mailstream runs at ${url} (API token: .mailstream/token)`,
    '',
    ...whatNext({ url, natsUrl, account }),
  ]);
  show(['', 'Ctrl-C stops it.']);

  const children = [...stack.units.map((unit) => unit.child()), ...(demo === undefined ? [] : [demo.child])];
  await Promise.race([aborted(stop), ...children.map(unexpectedEnd)]);
}

/** Connects the demo mailbox, waits until it is in the view, shows it, and lets mail arrive. Returns the account's id. */
async function showDemo(api: Api, demo: Dovecot, stop: AbortSignal): Promise<string> {
  const account = await connectDemoAccount(api, demo);
  say('importing the demo mailbox ...');
  const imported = await waitForImport(api, account, IMPORT_MS, stop);
  show(['', ...demoLines(imported, demo)]);
  keepMailArriving(demo, stop).catch((error: unknown) => say(`the demo mailbox gets no more mail: ${error}`));
  return account;
}

/** Everything else works without the demo mailbox. */
async function startDemo(port: number): Promise<Dovecot | undefined> {
  try {
    const server = await startDemoServer(join(STATE_DIR, 'demo-mail'), port, say);
    say('demo IMAP server is ready');
    return server;
  } catch (error) {
    say(`no demo mailbox: ${error instanceof Error ? error.message : error}`);
    return undefined;
  }
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
