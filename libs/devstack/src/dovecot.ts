/** A private Dovecot on 127.0.0.1 with its own users and mail: the real IMAP server of the demo and the tests. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Child, startChild, waitUntilReady } from './child.ts';
import { dovecotConfig } from './dovecot-config.ts';
import { ensureDovecot } from './dovecot-install.ts';
import { childEnv } from './env.ts';
import { freePort } from './ports.ts';
import { giveAway, unprivilegedUser } from './setpriv.ts';

const HOST = '127.0.0.1';

export interface MailUser {
  readonly user: string;
  readonly password: string;
}

export interface DovecotOptions {
  /** Holds configuration, mail, indexes and log; made when missing. */
  readonly dir: string;
  readonly users: readonly MailUser[];
  /** A free one when left out. */
  readonly port?: number;
  /** Also listen on a TLS port, and offer STARTTLS on the other, with a self-signed certificate. Off by default. */
  readonly tls?: boolean;
  /** The capabilities to announce instead of Dovecot's own, such as `IMAP4rev1` for a server without any extension. */
  readonly capability?: string;
  readonly onProgress?: (line: string) => void;
}

export interface Dovecot {
  readonly host: string;
  readonly port: number;
  /** The port for IMAP over TLS, when asked for. */
  readonly tlsPort: number | undefined;
  /** The self-signed certificate, PEM. */
  readonly certificate: string;
  readonly child: Child;
  /** A user's Maildir. What is put there by others must be given to the server: see `giveAway`. */
  maildir(user: string): string;
  stop(): Promise<void>;
  /** SIGKILL to all its processes: every connection breaks. Start it again with the same directory and ports. */
  kill(): Promise<void>;
}

/** Starts Dovecot (installs it first where it may) and resolves when it greets. */
export async function startDovecot(options: DovecotOptions): Promise<Dovecot> {
  const program = await ensureDovecot(options.onProgress);
  const { dir } = options;
  const port = options.port ?? (await freePort());
  const tlsPort = options.tls === true ? await freePort() : undefined;
  const runDir = socketDir(dir);
  for (const path of [dir, runDir, join(dir, 'state'), join(dir, 'mail')]) {
    mkdirSync(path, { recursive: true });
    giveAway(path);
  }
  removeLocks(join(dir, 'mail'));
  const configFile = join(dir, 'dovecot.conf');
  const certificate = await ensureCertificate(dir);
  secret(
    join(dir, 'users'),
    options.users.map(({ user, password }) => `${user}:{PLAIN}${password}\n`).join(''),
  );
  const layout = { ...serverUser(), dir, runDir, host: HOST, port, tlsPort, capability: options.capability };
  writeFileSync(configFile, dovecotConfig(layout, program.version));

  // It opens its log again by name, so the file must be its own.
  appendFileSync(join(dir, 'dovecot.log'), '');
  giveAway(join(dir, 'dovecot.log'));
  const child = await startChild({
    name: 'dovecot',
    dir,
    command: program.path,
    args: ['-F', '-c', configFile],
    env: childEnv({}),
    marker: configFile,
    unprivileged: true,
  });
  // Written when it listens.
  await waitUntilReady(child, () => readPid(join(runDir, 'master.pid')) === child.pid);
  return {
    host: HOST,
    port,
    tlsPort,
    certificate,
    child,
    maildir: (user) => join(dir, 'mail', user, 'Maildir'),
    stop: () => child.stop(),
    kill: () => child.kill(),
  };
}

/** A process that was killed before it wrote its number into a lock keeps all others out of the mailbox for two minutes. */
function removeLocks(mail: string): void {
  for (const lock of globSync(['*/Maildir/*.lock', '*/Maildir/.*/*.lock'], { cwd: mail }))
    rmSync(join(mail, lock), { force: true });
}

/** Paths of Unix sockets must be shorter than 108 bytes, which a deep checkout leaves no room for. */
function socketDir(dir: string): string {
  const own = join(dir, 'run');
  if (own.length < 80) return own;
  return join(tmpdir(), `mailstream-${createHash('sha256').update(own).digest('hex').slice(0, 12)}`);
}

function readPid(file: string): number | undefined {
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
}

function serverUser(): { user: string; group: string; uid: number; gid: number } {
  const user = unprivilegedUser() ?? { name: userInfo().username, ...userInfo() };
  const group = readFileSync('/etc/group', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([, , gid]) => Number(gid) === user.gid)?.[0];
  return { user: user.name, group: group ?? user.name, uid: user.uid, gid: user.gid };
}

async function ensureCertificate(dir: string): Promise<string> {
  const [cert, key] = [join(dir, 'cert.pem'), join(dir, 'key.pem')];
  if (!existsSync(cert)) {
    await promisify(execFile)('openssl', [
      ...[
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '3650',
      ],
      ...['-subj', '/CN=localhost', '-addext', `subjectAltName=DNS:localhost,IP:${HOST}`],
      ...['-keyout', key, '-out', cert],
    ]);
    giveAway(key);
  }
  return readFileSync(cert, 'utf8');
}

function secret(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
  giveAway(file);
}
