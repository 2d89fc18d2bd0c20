/** What the end-to-end tests read from the environment. */
import { variable } from '@mailstream/devstack';

/** Mailboxes that live through chaos; more for a soak. */
export function chaosRuns(): number {
  return Number(variable('MAILSTREAM_CHAOS_RUNS') ?? 4);
}

/** How often each process is killed in the middle of an import; more for a soak. */
export function killRounds(): number {
  return Number(variable('MAILSTREAM_KILL_ROUNDS') ?? 1);
}

/** Where events are to be kept as examples for the pages about them; null: nowhere. */
export const EXAMPLES_FILE: string | null = variable('MAILSTREAM_EXAMPLES_FILE') ?? null;
