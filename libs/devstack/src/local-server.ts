/** What the servers we start for ourselves have in common. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, isAlive } from './child.ts';

export interface LocalServer {
  readonly url: string;
  readonly port: number;
  readonly child: Child;
  /** A clean stop. */
  stop(): Promise<void>;
  /** SIGKILL. Start it again with the same directory and port. */
  kill(): Promise<void>;
}

/**
 * Ends a server that a killed run left behind. `marker` is an argument only that server has: a recycled pid is left alone.
 * Sends `signal`, and SIGKILL after 30 s.
 */
export async function stopLeftover(pid: number, marker: string, signal: NodeJS.Signals): Promise<void> {
  if (!isAlive(pid) || !commandLine(pid).includes(marker)) return;
  process.kill(pid, signal);
  const deadline = Date.now() + 30_000;
  while (isAlive(pid)) {
    if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
    await sleep(20);
  }
}

function commandLine(pid: number): string {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    return execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  } catch {
    return '';
  }
}
