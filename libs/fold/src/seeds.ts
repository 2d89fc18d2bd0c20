/** Puts the view's cursors back into the log, so that fetchers go on from what the view holds (ARCHITECTURE, invariant 4). */
import { type CursorSeeded, EVENT_TYPES, uuidv7 } from '@mailstream/contracts';
import type { Tx } from '@mailstream/db';
import { type Chains, scopeKey } from './chain.ts';
import type { Emission, FoldDefinition, Scope } from './port.ts';

/**
 * One `cursor.seeded` per scope that the view knows. It is made where the view's cursor and the chain are read in one transaction, so it names
 * exactly the page after which that cursor was true. A page applied before it lands makes it stale, and the chain rule finds out. A page
 * fetched from any other cursor does not continue it, and is discarded.
 */
export async function seedsFor(
  tx: Tx,
  definition: FoldDefinition,
  scopes: readonly Scope[],
  chains: Chains,
  reason: CursorSeeded['reason'],
): Promise<Emission[]> {
  if (!definition.cursors || scopes.length === 0) return [];
  const cursors = await definition.cursors(tx, scopes);
  return cursors.map(({ tenant, account, scope, cursor }) => {
    const prev = chains.get(scopeKey({ tenant, account, scope }))?.page ?? null;
    const data: CursorSeeded = { scope, page: uuidv7(), prev, cursor, reason };
    return { to: 'mail', tenant, account, fact: `cursor.${scope}`, type: EVENT_TYPES.cursorSeeded, data };
  });
}

/**
 * Seeds on their way, so that a stream of stale pages does not bring forth a stream of seeds. In memory and for as long as a partition is open:
 * after a crash nobody knows whether one had arrived, and one too many is discarded.
 */
export interface SeedLedger {
  /** Of the scopes that diverged, those for which none is on its way once these have arrived. */
  missing(diverged: readonly Scope[], arrived: readonly Scope[]): Scope[];
  /** To be called when what was made of them has been committed. */
  settle(arrived: readonly Scope[], made: readonly Scope[]): void;
}

/** How long a seed may be under way, milliseconds: then it was lost with the log, and another is due. */
const UNDER_WAY_MS = 30_000;

export function createSeedLedger(now: () => number = Date.now): SeedLedger {
  const expected = new Map<string, number>();
  return {
    missing(diverged, arrived) {
      const here = new Set(arrived.map(scopeKey));
      return diverged.filter((scope) => {
        const key = scopeKey(scope);
        return here.has(key) || (expected.get(key) ?? 0) <= now();
      });
    },
    settle(arrived, made) {
      for (const scope of arrived) expected.delete(scopeKey(scope));
      for (const scope of made) expected.set(scopeKey(scope), now() + UNDER_WAY_MS);
    },
  };
}
