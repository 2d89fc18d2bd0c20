/** Runs a server as `nobody` when we are root: PostgreSQL and IMAP servers refuse to work as root. */
import { chownSync, readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

interface User {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const USER = 'nobody';

/** The user to run servers as; undefined when we are not root and simply stay who we are. */
export function unprivilegedUser(passwd = readPasswd): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const fields = passwd()
    .split('\n')
    .map((line) => line.split(':'))
    .find(([name]) => name === USER);
  if (fields === undefined)
    throw new Error(`this machine has no user "${USER}" to run servers as; run as an ordinary user`);
  return { name: USER, uid: Number(fields[2]), gid: Number(fields[3]) };
}

/**
 * The command line that runs `command`, which works in `dir`, unprivileged. A checkout under /root is as good as any other: where only
 * root may enter, the server keeps the one capability it needs to pass through.
 */
export function unprivilegedCommand(
  command: string,
  args: readonly string[],
  dir: string,
): [command: string, args: string[]] {
  const user = unprivilegedUser();
  if (user === undefined) return [command, [...args]];
  const identity = [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  const passage = isOpenToAll(command) && isOpenToAll(dir) ? [] : PASSAGE;
  return ['setpriv', [...identity, ...passage, command, ...args]];
}

const KEEP = '-all,+dac_override';
const PASSAGE = [
  `--inh-caps=${KEEP}`,
  `--ambient-caps=${KEEP}`,
  `--bounding-set=${KEEP}`,
  // access(2), by which initdb looks for its parts, would ignore the capability otherwise.
  '--securebits=+no_setuid_fixup',
];

/** Whether everybody may enter all directories on the way. */
function isOpenToAll(path: string): boolean {
  const parent = dirname(path);
  return parent === path || ((statSync(parent).mode & 0o001) !== 0 && isOpenToAll(parent));
}

/** Gives a file or directory to the unprivileged user. */
export function giveAway(path: string): void {
  const user = unprivilegedUser();
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}

function readPasswd(): string {
  return readFileSync('/etc/passwd', 'utf8');
}
