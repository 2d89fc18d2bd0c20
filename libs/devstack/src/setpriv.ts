/** How we start servers: as `nobody` when we are root, because PostgreSQL and Dovecot refuse to be; and never outliving us. */
import { chownSync, existsSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const USER = 'nobody';

/** The user to run servers as; undefined when we are not root and simply stay who we are. */
export function unprivilegedUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const fields = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === USER);
  if (fields === undefined) {
    throw new Error(`this machine has no user "${USER}" to run servers as; run as an ordinary user`);
  }
  return { name: USER, uid: Number(fields[2]), gid: Number(fields[3]) };
}

/** Gives a file or directory to that user. */
export function giveAway(path: string): void {
  const user = unprivilegedUser();
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}

export interface Privileges {
  /** Run it as the unprivileged user; it works in this directory. */
  readonly unprivilegedIn?: string | undefined;
  /** What it gets when we are gone, even by SIGKILL. Linux only; elsewhere the next run stops what was left behind. */
  readonly deathSignal?: NodeJS.Signals | undefined;
}

/** The command line that does so, by setpriv(1), which every Linux distribution has. */
export function withPrivileges(
  command: string,
  args: readonly string[],
  { unprivilegedIn, deathSignal }: Privileges,
): [command: string, args: string[]] {
  const flags: string[] = [];
  const user = unprivilegedIn === undefined ? undefined : unprivilegedUser();
  if (unprivilegedIn !== undefined && user !== undefined) {
    flags.push(`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups');
    if (!isOpenToAll(dirname(command)) || !isOpenToAll(unprivilegedIn)) flags.push(...PASSAGE);
  }
  if (deathSignal !== undefined && existsSync('/usr/bin/setpriv')) flags.push(`--pdeathsig=${deathSignal}`);
  return flags.length === 0 ? [command, [...args]] : ['setpriv', [...flags, command, ...args]];
}

/**
 * A checkout under /root is as good as any other: where only root may enter, the server keeps the one capability it needs to pass
 * through, and access(2), by which initdb looks for its parts, must not ignore it.
 */
const KEEP = '-all,+dac_override';
const PASSAGE = [
  `--inh-caps=${KEEP}`,
  `--ambient-caps=${KEEP}`,
  `--bounding-set=${KEEP}`,
  '--securebits=+no_setuid_fixup',
];

/** Whether everybody may enter this directory and all above it. */
function isOpenToAll(dir: string): boolean {
  const parent = dirname(dir);
  return (statSync(dir).mode & 0o001) !== 0 && (parent === dir || isOpenToAll(parent));
}
