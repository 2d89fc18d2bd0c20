/** Finds Dovecot on this machine, or installs it from Debian when we are root there. */
import { execFile } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { childEnv } from './env.ts';

const run = promisify(execFile);

export interface DovecotProgram {
  readonly path: string;
  readonly version: string;
}

/** Thrown text that a person can act on; everything but the demo mailbox works without Dovecot. */
const HOW_TO_GET = 'install it with: apt-get install --no-install-recommends dovecot-imapd';

/** The installed Dovecot with its IMAP part, or undefined. */
async function findDovecot(): Promise<DovecotProgram | undefined> {
  for (const path of ['/usr/sbin/dovecot', '/usr/local/sbin/dovecot', '/opt/homebrew/sbin/dovecot']) {
    const libexec = path.replace(/sbin\/dovecot$/, 'lib*/dovecot/imap');
    if (!existsSync(path) || !['lib', 'libexec'].some((lib) => existsSync(libexec.replace('lib*', lib))))
      continue;
    const { stdout } = await run(path, ['--version']);
    return { path, version: stdout.trim() };
  }
  return undefined;
}

/** Finds Dovecot, or installs it where that needs no question: as root on Debian and its relatives. */
export async function ensureDovecot(
  onProgress: (line: string) => void = () => undefined,
): Promise<DovecotProgram> {
  const found = await findDovecot();
  if (found !== undefined) return found;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) {
    throw new Error(`Dovecot (the IMAP server of the demo and the tests) is not installed; ${HOW_TO_GET}`);
  }
  onProgress('installing Dovecot, the IMAP server of the demo mailbox (apt-get)');
  await aptInstall('dovecot-imapd').catch((cause: unknown) => {
    const reason = cause instanceof Error ? cause.message.trim() : String(cause);
    throw new Error(`Dovecot could not be installed; ${HOW_TO_GET}\n${reason}`, { cause });
  });
  const installed = await findDovecot();
  if (installed === undefined)
    throw new Error('dovecot-imapd was installed, but /usr/sbin/dovecot is not there');
  return installed;
}

/** Without a policy Debian would start the system's Dovecot: ours runs privately, so that one must stay off. */
async function aptInstall(name: string): Promise<void> {
  const policy = '/usr/sbin/policy-rc.d';
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  const apt = (...args: string[]) =>
    run('apt-get', ['-q', '-y', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      env: childEnv({ DEBIAN_FRONTEND: 'noninteractive' }),
      maxBuffer: 16 * 1024 * 1024,
    });
  try {
    // The lists of a fresh container are empty or old.
    await apt('update');
    await apt('install', '--no-install-recommends', name);
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}
