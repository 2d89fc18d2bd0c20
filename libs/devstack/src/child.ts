/** Child processes that we start: each in its own process group, with a log and a pid file, stopped by its own pid. */
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withPrivileges } from './setpriv.ts';

export interface ChildOptions {
  /** Names its files: `<dir>/<name>.log` (stdout and stderr are appended) and `<dir>/<name>.pid`. */
  readonly name: string;
  readonly dir: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** A part of its command line that no other process has. */
  readonly marker: string;
  /** What makes it end cleanly; default SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
  /** Run it as `nobody` when we are root. */
  readonly unprivileged?: boolean;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** How it ended, once it has. */
  readonly ended: () => string | undefined;
  /** Resolves with the same when it ends; never rejects. */
  readonly exited: Promise<string>;
  /** Asks it to end; after 30 s kills it. Resolves when it is gone; does nothing when it already is. */
  stop(): Promise<void>;
  /** SIGKILL to it and its children; resolves when it is gone. */
  kill(): Promise<void>;
}

const STOP_MS = 30_000;

/**
 * Starts a process; first ends what a killed run left behind in its place. Ctrl-C in the terminal does not reach it: its owner
 * stops it, in the right order. When its owner is killed, it stops by itself (on Linux).
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  const { name, dir, marker, stopSignal = 'SIGTERM' } = options;
  mkdirSync(dir, { recursive: true });
  const logFile = join(dir, `${name}.log`);
  const pidFile = join(dir, `${name}.pid`);
  await stopLeftover(pidFile);

  const [command, args] = withPrivileges(options.command, options.args, {
    unprivilegedIn: options.unprivileged ? dir : undefined,
    deathSignal: stopSignal,
  });
  const log = openSync(logFile, 'a');
  const child = spawn(command, args, {
    detached: true,
    env: options.env,
    stdio: ['ignore', log, log],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  closeSync(log);
  let ended: string | undefined;
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = signal === null ? `exit code ${code}` : `signal ${signal}`;
      rmSync(pidFile, { force: true });
      resolve(ended);
    });
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once('spawn', () => resolve(child.pid ?? 0));
    child.once('error', (cause) => reject(new Error(`cannot run ${command}`, { cause })));
  });
  writeFileSync(pidFile, JSON.stringify({ pid, marker, stopSignal } satisfies PidFile));

  return {
    name,
    pid,
    logFile,
    ended: () => ended,
    exited,
    async stop() {
      if (ended !== undefined) return;
      process.kill(pid, stopSignal);
      const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), STOP_MS);
      await exited;
      clearTimeout(timer);
    },
    async kill() {
      if (ended !== undefined) return;
      process.kill(-pid, 'SIGKILL');
      await exited;
    },
  };
}

/** Waits until `isReady` says so. Throws with the end of the log when the child ends first or the time is up. */
export async function waitUntilReady(
  child: Child,
  isReady: () => Promise<boolean> | boolean,
  timeoutMs = 60_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const ended = child.ended();
    if (ended !== undefined) throw new Error(`${child.name} ended (${ended})\n${logTail(child)}`);
    if (await isReady()) return;
    if (Date.now() > deadline) {
      throw new Error(`${child.name} was not ready after ${timeoutMs / 1000} s\n${logTail(child)}`);
    }
    await sleep(20);
  }
}

/** The last lines of a child's log, for error messages. */
export function logTail({ logFile }: Pick<Child, 'logFile'>, lines = 15): string {
  return existsSync(logFile)
    ? readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n')
    : '';
}

interface PidFile {
  readonly pid: number;
  readonly marker: string;
  readonly stopSignal: NodeJS.Signals;
}

/** The pid of a child that somebody started here under this name and that still runs. */
export function readChild(dir: string, name: string): number | null {
  const file = join(dir, `${name}.pid`);
  if (!existsSync(file)) return null;
  const { pid, marker }: PidFile = JSON.parse(readFileSync(file, 'utf8'));
  return isRunning(pid, marker) ? pid : null;
}

/** Ends all children that a killed run left behind in the directories directly below `root`. */
export async function stopLeftovers(root: string): Promise<void> {
  const files = readdirSync(root, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => readdirSync(join(root, name)).map((file) => join(root, name, file)))
    .filter((file) => file.endsWith('.pid'));
  await Promise.all(files.map(stopLeftover));
}

/** A recycled pid, which belongs to another program by now, is left alone. */
async function stopLeftover(pidFile: string): Promise<void> {
  if (!existsSync(pidFile)) return;
  const { pid, marker, stopSignal }: PidFile = JSON.parse(readFileSync(pidFile, 'utf8'));
  if (isRunning(pid, marker)) process.kill(pid, stopSignal);
  const deadline = Date.now() + STOP_MS;
  while (isRunning(pid, marker)) {
    if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
    await sleep(20);
  }
  rmSync(pidFile, { force: true });
}

/** Whether a process with this pid runs and has `marker` in its command line. */
export function isRunning(pid: number, marker: string): boolean {
  try {
    const commandLine =
      process.platform === 'linux'
        ? readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        : execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return commandLine.includes(marker);
  } catch {
    return false;
  }
}
