/** How the process itself is: its processor time, its memory, its event loop. */
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

const RESET_MS = 60_000;

/** Observes until the returned function is called. */
export function observeProcess(metrics: Metrics): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  let p99 = 0;
  const reset = setInterval(() => {
    p99 = delay.percentile(99) / 1e9;
    delay.reset();
  }, RESET_MS).unref();
  let before = performance.eventLoopUtilization();
  metrics.observe('nodejs.eventloop.utilization', () => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    return [[{}, utilization]];
  });
  metrics.observe('nodejs.eventloop.delay.p99', () => [[{}, p99 || delay.percentile(99) / 1e9]]);
  metrics.observe('process.cpu.time', () => {
    const { user, system } = process.cpuUsage();
    return [
      [{ 'cpu.mode': 'user' }, user / 1e6],
      [{ 'cpu.mode': 'system' }, system / 1e6],
    ];
  });
  metrics.observe('process.memory.usage', () => [[{}, process.memoryUsage.rss()]]);
  return () => {
    clearInterval(reset);
    delay.disable();
  };
}
