/** What a running `npm start` tells the command line and the next `npm start`: `.mailstream/run/state.json`. */
import { existsSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isRunning } from './child.ts';
import { STATE_DIR } from './paths.ts';

export interface RunState {
  /** Of `npm start`. */
  readonly pid: number;
  /** Of the gateway. */
  readonly url: string;
  readonly natsUrl: string;
  readonly databaseUrl: string;
  /** The file that holds the API token. */
  readonly tokenFile: string;
}

const RUN_DIR = join(STATE_DIR, 'run');
const STATE_FILE = join(RUN_DIR, 'state.json');
const LOCK_FILE = join(RUN_DIR, 'start.lock');

/** The state of the `npm start` that runs now, or undefined. */
export function readRunState(): RunState | undefined {
  const owner = readLock();
  if (owner === undefined || !existsSync(STATE_FILE)) return undefined;
  const state: RunState = JSON.parse(readFileSync(STATE_FILE, 'utf8'));
  return state.pid === owner ? state : undefined;
}

/** It holds the database's password. */
export function writeRunState(state: RunState): void {
  const fresh = `${STATE_FILE}.new`;
  writeFileSync(fresh, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, STATE_FILE);
}

/** Makes this process the one `npm start`. Returns the pid of the other one when there is one. */
export function claimState(): { release(): void } | { owner: number } {
  mkdirSync(RUN_DIR, { recursive: true });
  const own = `${LOCK_FILE}.${process.pid}`;
  writeFileSync(own, String(process.pid));
  try {
    for (;;) {
      const owner = readLock();
      if (owner !== undefined) return { owner };
      rmSync(LOCK_FILE, { force: true });
      // A link appears with its content, so nobody ever reads a lock without a pid.
      if (tryLink(own)) return { release };
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** Keeps the API token in a file that only its owner can read. Returns the file. */
export function writeToken(token: string): string {
  const file = join(STATE_DIR, 'token');
  writeFileSync(file, `${token}\n`, { mode: 0o600 });
  return file;
}

function release(): void {
  rmSync(STATE_FILE, { force: true });
  rmSync(LOCK_FILE, { force: true });
}

function tryLink(own: string): boolean {
  try {
    linkSync(own, LOCK_FILE);
    return true;
  } catch {
    return false;
  }
}

/** The pid in the lock, if that process still is an `npm start` of this checkout. */
function readLock(): number | undefined {
  if (!existsSync(LOCK_FILE)) return undefined;
  const pid = Number(readFileSync(LOCK_FILE, 'utf8'));
  return isRunning(pid, join(dirname(import.meta.filename), 'start.ts')) ? pid : undefined;
}
