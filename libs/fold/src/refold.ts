/** Folding everything again from the start of the log, in silence up to where it was. */
import type { Db, Tx } from '@mailstream/db';

/**
 * Runs `clear` (drop or empty the fold's tables) and sets the fold back to the start of the log, in one transaction. Running replicas notice within
 * seconds and go on from there. Nothing is announced again; what was in the log is folded, so the log has to be whole for the tables to be.
 */
export async function refold(db: Db, fold: string, clear: (tx: Tx) => Promise<void>): Promise<void> {
  await db.tx(async (tx) => {
    // First of all, so that no replica is in a transaction on the old tables.
    await tx.query(
      `UPDATE fold.checkpoint SET position = 0, fingerprint = NULL, quiet_until = greatest(quiet_until, position), updated_at = now()
       WHERE fold = $1`,
      [fold],
    );
    await tx.query('DELETE FROM fold.chain WHERE fold = $1', [fold]);
    await clear(tx);
  });
}
