/** Child processes that we start: each in its own process group, with a log file, stopped by its own pid. */
import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** stdout and stderr are appended here. */
  readonly logFile: string;
}

export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** How it ended, once it has; `exited` resolves at the same time and never rejects. */
  readonly ended: () => string | undefined;
  readonly exited: Promise<string>;
  /** Asks it to end; after `timeoutMs` (10 s) kills it. Resolves when it is gone; does nothing when it already is. */
  stop(signal?: NodeJS.Signals, timeoutMs?: number): Promise<void>;
  /** SIGKILL to it and its children; resolves when it is gone. */
  kill(): Promise<void>;
}

/** Starts a process. Ctrl-C in the terminal does not reach it: its owner stops it, in the right order. */
export async function startChild(options: ChildOptions): Promise<Child> {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a');
  const child = spawn(options.command, options.args, {
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
      resolve(ended);
    });
  });
  await new Promise<void>((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) => reject(new Error(`cannot run ${options.command}`, { cause })));
  });

  const pid = child.pid ?? 0;
  const stop = async (signal: NodeJS.Signals, timeoutMs: number) => {
    if (ended !== undefined) return;
    process.kill(pid, signal);
    const timer = setTimeout(() => process.kill(-pid, 'SIGKILL'), timeoutMs);
    await exited;
    clearTimeout(timer);
  };
  const kill = async () => {
    if (ended !== undefined) return;
    process.kill(-pid, 'SIGKILL');
    await exited;
  };
  return {
    name: options.name,
    pid,
    logFile: options.logFile,
    ended: () => ended,
    exited,
    stop: (signal = 'SIGTERM', timeoutMs = 10_000) => stop(signal, timeoutMs),
    kill,
  };
}

/** Waits until `isReady` says so. Throws with the end of the log when the child ends first or the time is up. */
export async function waitUntilReady(
  child: Child,
  isReady: () => Promise<boolean> | boolean,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    const ended = child.ended();
    if (ended !== undefined) throw new Error(`${child.name} ended (${ended})\n${logTail(child.logFile)}`);
    if (await isReady()) return;
    if (Date.now() > deadline) {
      throw new Error(`${child.name} was not ready after ${timeoutMs / 1000} s\n${logTail(child.logFile)}`);
    }
    await sleep(20);
  }
}

/** The last lines of a log file, for error messages. */
export function logTail(file: string, lines = 15): string {
  try {
    return readFileSync(file, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
  } catch {
    return '';
  }
}

/** Whether a process with this pid runs. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
