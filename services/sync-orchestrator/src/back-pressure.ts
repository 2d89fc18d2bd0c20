/** Imports wait while the projector is behind: work is not started rather than piled up. */
import type { Bus } from '@mailstream/bus';
import { fnv1a32, PARTITIONS } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { readLag } from '@mailstream/fold';

/** How long a measured lag is believed, milliseconds. */
const FRESH_MS = 250;

/**
 * Answers whether the projector is less than `maxLag` events behind in the partition of an account. Asked for every decision, so the
 * answer is kept for a moment.
 */
export function createBackPressure({ bus, db, maxLag }: { bus: Bus; db: Db; maxLag: number }) {
  const measured = new Map<number, { at: number; allowed: Promise<boolean> }>();

  async function measure(partition: number): Promise<boolean> {
    const [state] = await readLag({ bus, db }, 'projector', { partition });
    return state === undefined || state.lag < maxLag;
  }

  return (account: string): Promise<boolean> => {
    const partition = fnv1a32(account) % PARTITIONS;
    const known = measured.get(partition);
    if (known && Date.now() - known.at < FRESH_MS) return known.allowed;
    const allowed = measure(partition);
    measured.set(partition, { at: Date.now(), allowed });
    return allowed;
  };
}
