/** Finds nats-server: on PATH, in the project's cache, else from Debian or from the project's GitHub releases. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { findDebianMirror } from './apt-sources.ts';
import { CACHE_DIR } from './paths.ts';

const run = promisify(execFile);

/** The first with atomic batches and message schedules as we use them. */
const MINIMUM = { major: 2, minor: 14 };
const GITHUB_VERSION = 'v2.15.1';
const GITHUB_RELEASE = `https://github.com/nats-io/nats-server/releases/download/${GITHUB_VERSION}`;
/** The Debian suite that has a nats-server new enough; its binary needs nothing but libc. */
const DEBIAN_SUITE = 'forky';

/** The path of a nats-server of at least 2.14. Downloads one into `.cache` when there is none. */
export async function findNatsServer(onProgress: (line: string) => void = () => undefined): Promise<string> {
  if (await isGood('nats-server')) return 'nats-server';
  const cached = join(CACHE_DIR, 'nats-server', 'nats-server');
  if (existsSync(cached) && (await isGood(cached))) return cached;

  const failures: string[] = [];
  for (const source of [fromDebian, fromGitHub]) {
    const work = join(CACHE_DIR, `nats-server-${process.pid}`);
    rmSync(work, { recursive: true, force: true });
    mkdirSync(work, { recursive: true });
    try {
      onProgress(`fetching nats-server (${source.label})`);
      const binary = await source.fetch(work);
      if (!(await isGood(binary))) throw new Error(`${binary} does not run here, or is too old`);
      // Whole or not there: a killed download never leaves half a binary, and of two at once the last one wins.
      mkdirSync(join(CACHE_DIR, 'nats-server'), { recursive: true });
      renameSync(binary, cached);
      return cached;
    } catch (error) {
      failures.push(`${source.label}: ${reasonOf(error)}`);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  throw new Error(
    `Mailstream needs nats-server ${MINIMUM.major}.${MINIMUM.minor} or newer and could not get it.\n` +
      `Install it so that it is on PATH, or set NATS_URL to a running one.\n${failures.join('\n')}`,
  );
}

/** What the failed program said, else the error's message. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ('stderr' in error && String(error.stderr).trim()) || error.message;
}

/** Whether this program is a nats-server new enough; `nats-server -v` prints "nats-server: v2.15.1". */
async function isGood(binary: string): Promise<boolean> {
  try {
    const { stdout } = await run(binary, ['-v']);
    const [, major, minor] = /v(\d+)\.(\d+)/.exec(stdout) ?? [];
    if (Number(major) !== MINIMUM.major) return Number(major) > MINIMUM.major;
    return Number(minor) >= MINIMUM.minor;
  } catch {
    return false;
  }
}

interface Source {
  readonly label: string;
  /** Downloads into `work` and returns the path of the binary. */
  fetch(work: string): Promise<string>;
}

/** The machine's own mirror and keys, but lists and cache of our own: the system's apt state is not touched, root not needed. */
const fromDebian: Source = {
  label: `Debian ${DEBIAN_SUITE}`,
  async fetch(work) {
    const mirror = findDebianMirror(readAptSources());
    if (mirror === undefined) throw new Error('no Debian mirror in /etc/apt');
    const signedBy = mirror.signedBy === undefined ? '' : `[signed-by=${mirror.signedBy}] `;
    writeFileSync(join(work, 'sources.list'), `deb ${signedBy}${mirror.uri} ${DEBIAN_SUITE} main\n`);
    for (const dir of ['lists/partial', 'cache/archives/partial'])
      mkdirSync(join(work, dir), { recursive: true });
    const options = {
      'Dir::Etc::SourceList': join(work, 'sources.list'),
      'Dir::Etc::SourceParts': '/dev/null',
      'Dir::State::Lists': join(work, 'lists'),
      'Dir::Cache': join(work, 'cache'),
      // A mirror that was frozen is good enough: the signature is checked, and so is the version.
      'Acquire::Check-Valid-Until': 'false',
      'Acquire::Languages': 'none',
      'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
      'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled': 'false',
      'APT::Sandbox::User': 'root',
    };
    const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
    await run('apt-get', [...flags, '-qq', 'update']);
    await run('apt-get', [...flags, '-qq', 'download', 'nats-server'], { cwd: work });
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded nothing');
    await run('dpkg', ['-x', join(work, archive), join(work, 'root')]);
    return join(work, 'root/usr/sbin/nats-server');
  },
};

/** Checked against the release's own SHA256SUMS: that catches a broken download, and trusts GitHub for the rest. */
const fromGitHub: Source = {
  label: `GitHub ${GITHUB_VERSION}`,
  async fetch(work) {
    const arch = { x64: 'amd64', arm64: 'arm64' }[process.arch as string] ?? process.arch;
    const name = `nats-server-${GITHUB_VERSION}-${process.platform}-${arch}`;
    const archive = await download(`${GITHUB_RELEASE}/${name}.tar.gz`);
    const sums = (await download(`${GITHUB_RELEASE}/SHA256SUMS`)).toString('utf8');
    const sum = createHash('sha256').update(archive).digest('hex');
    if (!sums.split('\n').some((line) => line.startsWith(sum) && line.endsWith(`${name}.tar.gz`))) {
      throw new Error(`the checksum of ${name}.tar.gz is not in SHA256SUMS`);
    }
    writeFileSync(join(work, 'archive.tar.gz'), archive);
    await run('tar', ['-xzf', join(work, 'archive.tar.gz'), '-C', work]);
    return join(work, name, 'nats-server');
  },
};

async function download(url: string): Promise<Buffer> {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
  if (!response.ok) throw new Error(`${url} answered ${response.status}`);
  return Buffer.from(await response.arrayBuffer());
}

function readAptSources(): { name: string; text: string }[] {
  const parts = '/etc/apt/sources.list.d';
  const names = existsSync(parts) ? readdirSync(parts).map((name) => join(parts, name)) : [];
  return ['/etc/apt/sources.list', ...names]
    .filter((name) => /\.(list|sources)$/.test(name) && existsSync(name))
    .map((name) => ({ name, text: readFileSync(name, 'utf8') }));
}
