/** Finds the facts of one unit whose values are refused, and folds the rest. */
import type { Tx } from '@mailstream/db';
import { AppError } from '@mailstream/runtime';
import type { Poison, Unit } from './page-collector.ts';
import type { Fact, Page } from './port.ts';

/** Whether the values of a fact are to blame, so that trying again cannot help. */
export function isUnusable(error: unknown): error is AppError {
  return error instanceof AppError && error.errorClass === 'parse';
}

/**
 * Runs `fold` on the unit without the facts that make it fail; those are added to its poison. If the cursor itself is refused, the page is given up
 * and the scope counts as broken. Takes about log2(facts) tries per bad fact, each under a savepoint. Throws what `fold` throws for other reasons.
 */
export async function salvage<T>(
  tx: Tx,
  unit: Unit,
  fold: (unit: Unit) => Promise<T>,
): Promise<{ unit: Unit; result: T }> {
  let usable = unit;
  for (;;) {
    const { page } = usable;
    try {
      return { unit: usable, result: await tx.savepoint(() => fold(usable)) };
    } catch (error) {
      if (!isUnusable(error) || !page) throw error;
      usable = await withoutCulprit(tx, usable, page, error, fold);
    }
  }
}

/** The page fails as a whole; the shortest part from its start that fails ends with the culprit. */
async function withoutCulprit(
  tx: Tx,
  unit: Unit,
  page: Page,
  failure: AppError,
  fold: (unit: Unit) => Promise<unknown>,
): Promise<Unit> {
  const { facts, cursor } = page;
  if (cursor) {
    const error = await failureOf(tx, () => fold({ ...unit, page: { ...page, facts: [] } }));
    if (error) {
      const { tenant, account } = page;
      const broken = { tenant, account, scope: cursor.event.data.scope };
      return { ...unit, page: null, broken, poison: [...unit.poison, refused(cursor, error)] };
    }
  }
  let good = 0;
  let bad = facts.length;
  let error = failure;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    const found = await failureOf(tx, () =>
      fold({ ...unit, page: { ...page, facts: facts.slice(0, middle) } }),
    );
    if (found) {
      bad = middle;
      error = found;
    } else {
      good = middle;
    }
  }
  const culprit = facts[good];
  if (!culprit) throw failure;
  const rest = facts.filter((fact) => fact !== culprit);
  const poison = [...unit.poison, refused(culprit, error)];
  return { ...unit, page: cursor || rest.length > 0 ? { ...page, facts: rest } : null, poison };
}

/** Why this cannot be done; null if it can. Undone in either case. */
async function failureOf(tx: Tx, work: () => Promise<unknown>): Promise<AppError | null> {
  const undo = new Error('only tried');
  try {
    await tx.savepoint(async () => {
      await work();
      throw undo;
    });
  } catch (error) {
    if (error === undo) return null;
    if (isUnusable(error)) return error;
    throw error;
  }
  return null;
}

function refused({ subject, sequence, event }: Fact, error: AppError): Poison {
  const data = Buffer.from(JSON.stringify(event));
  return { message: { stream: 'MAIL', subject, sequence, data }, reason: 'refused', detail: error.message };
}
