/** The poll of an account: a schedule in the server that hints it again and again. */
import type { Bus } from '@mailstream/bus';
import { type AccountRef, subjects } from '@mailstream/contracts';

/** The server's schedules are no shorter, milliseconds. */
const SHORTEST_MS = 1_000;

/** Sets or replaces it. Spread by ±10 % of the interval, so that accounts added together do not stay in step. */
export function schedulePoll(bus: Bus, at: AccountRef, pollMs: number): Promise<void> {
  const everyMs = Math.max(SHORTEST_MS, Math.round(pollMs * (0.9 + Math.random() * 0.2)));
  return bus.schedule(at, 'poll', { everyMs }, subjects.hint(at, 'poll'));
}
