/** Runs a server as `nobody` when we are root: PostgreSQL and IMAP servers refuse to work as root. */
import { chownSync, readFileSync } from 'node:fs';

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
 * The command line that runs `command` unprivileged. It keeps one capability, to pass through directories that only
 * root may enter: a checkout under /root is as good as any other.
 */
export function unprivilegedCommand(command: string, args: readonly string[]): [string, string[]] {
  const user = unprivilegedUser();
  if (user === undefined) return [command, [...args]];
  const keep = '-all,+dac_override';
  return [
    'setpriv',
    [
      `--reuid=${user.uid}`,
      `--regid=${user.gid}`,
      '--clear-groups',
      `--inh-caps=${keep}`,
      `--ambient-caps=${keep}`,
      `--bounding-set=${keep}`,
      command,
      ...args,
    ],
  ];
}

/** Gives a file or directory to the unprivileged user. */
export function giveAway(path: string): void {
  const user = unprivilegedUser();
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}

function readPasswd(): string {
  return readFileSync('/etc/passwd', 'utf8');
}
