/** Runs `node main.mjs <command> [args]`: makes sure that Node 24, pnpm and the packages are there, then runs the command with them. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));
const source = (file) => join(root, 'libs/devstack/src', file);
const dotenv = existsSync(join(root, '.env')) ? [`--env-file=${join(root, '.env')}`] : [];

const COMMANDS = {
  start: ({ args }) => [...dotenv, source('start.ts'), ...args],
  test: ({ args }) => [source('test.ts'), ...args],
  verify: ({ args }) => [source('verify.ts'), ...args],
  bench: ({ args }) => [source('bench.ts'), ...args],
  mailstream: ({ args }) => [...dotenv, source('cli/main.ts'), ...args],
  generate: () => [
    ...['--import', pathToFileURL(join(root, 'libs/contracts/src/generate.ts')).href],
    join(root, 'services/all-in-one/src/openapi/generate.ts'),
  ],
  pnpm: ({ args, pnpm }) => [pnpm, ...args],
};

const [name, ...args] = process.argv.slice(2);
const command = COMMANDS[name];
if (command === undefined) fail(`usage: main.mjs ${Object.keys(COMMANDS).join(' | ')} [arguments]`);
if (Number.parseInt(process.versions.node, 10) < 18) {
  fail(`this is Node ${process.versions.node}; Node 18 or newer is needed to set Mailstream up`);
}

// After the check above: an old Node would already stumble over the syntax in there.
const { ensureToolchain } = await import('./toolchain.mjs');
const { node, pnpm } = await ensureToolchain(root, { packages: name !== 'pnpm' }).catch((error) =>
  fail(error.message),
);
run(node, command({ args, pnpm }));

/** Like exec: same terminal, signals passed on, same end. */
function run(node, nodeArgs) {
  const child = spawn(node, nodeArgs, {
    stdio: 'inherit',
    env: { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => fail(`cannot run ${node}: ${error.message}`));
  child.on('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

function fail(message) {
  process.stderr.write(`mailstream: ${message}\n`);
  process.exit(1);
}
