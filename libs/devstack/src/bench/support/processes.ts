/** What a running process has cost, as Linux tells it; 0 elsewhere. */
import { readdirSync, readFileSync } from 'node:fs';

/** The most memory it ever had, MB. */
export function peakRssMb(pid: number): number {
  const kb = /VmHWM:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0;
  return Math.round(Number(kb) / 1024);
}

/** The memory that it has now, kB. */
export function rssKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(read(`/proc/${pid}/status`))?.[1] ?? 0);
}

/** Processor time of it and of its children, those that have ended included, seconds. */
export function cpuSeconds(pid: number): number {
  return [pid, ...childrenOf(pid)].reduce((sum, one) => sum + ownTicks(one), 0) / TICKS_PER_SECOND;
}

/** Of /proc on every Linux that Node runs on (`getconf CLK_TCK`). */
const TICKS_PER_SECOND = 100;

function childrenOf(pid: number): number[] {
  return readProcesses().filter((one) => statOf(one)[1] === String(pid));
}

function readProcesses(): number[] {
  try {
    return readdirSync('/proc').map(Number).filter(Number.isInteger);
  } catch {
    return [];
  }
}

/** utime, stime, cutime and cstime (proc_pid_stat(5)). */
function ownTicks(pid: number): number {
  return statOf(pid)
    .slice(11, 15)
    .reduce((sum, ticks) => sum + Number(ticks), 0);
}

/** The fields after the name, which may hold anything: state is the first. */
function statOf(pid: number): string[] {
  const stat = read(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
