/** Whether the log is still what folds have folded, without mending it: for people, while a fold may not run. */
import type { Bus } from '@mailstream/bus';
import type { LogDamage } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { readCheckpoint } from './checkpoint-rows.ts';
import { fingerprintOf, logDamage } from './epoch.ts';
import { readPositions } from './positions.ts';

export async function readDamage(
  { bus, db }: { readonly bus: Pick<Bus, 'at' | 'state'>; readonly db: Db },
  fold: string,
): Promise<LogDamage[]> {
  const positions = await readPositions(db, fold);
  const checkpoints = await Promise.all(
    positions.map(async ({ partition }) => ({
      partition,
      at: await readCheckpoint(db, fold, partition),
    })),
  );
  // After the checkpoints: a log that grew in between would seem to end before them.
  const log = await bus.state('MAIL');
  const found = await Promise.all(
    checkpoints.map(async ({ partition, at }) => {
      const stored = at && at.fingerprint !== null ? await bus.at('MAIL', at.position) : null;
      const kind = at && logDamage(at, log, stored && fingerprintOf(stored));
      return kind ? [{ fold, partition, kind }] : [];
    }),
  );
  return found.flat();
}
