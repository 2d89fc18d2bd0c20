/** The chain rule (ARCHITECTURE, invariant 2): a page counts only if it continues the last page applied for its scope. Pure. */
import type { Unit } from './page-collector.ts';
import type { Page, Scope } from './port.ts';

/** The last page applied, by `scopeKey`; null says that the row is to go. */
export type Chains = Map<string, { readonly scope: Scope; readonly page: string | null }>;

export interface Verdict {
  /** To be applied, in order. */
  readonly pages: readonly Page[];
  /** Pages that do not continue what was applied, or whose cursor cannot be used. */
  readonly discarded: readonly Scope[];
  /** Chains after these units, those that changed. */
  readonly changed: Chains;
  /** Scopes whose last cursor in the log is not the one that was applied: fetchers would go on from the wrong place. */
  readonly diverged: readonly Scope[];
  /** Scopes whose cursor was put back, and counts: to be fetched from there. */
  readonly seeded: readonly Scope[];
  /** Scopes for which a seed came, whether it counts or not. */
  readonly arrived: readonly Scope[];
  /** Accounts that were removed: their chains end. */
  readonly removed: readonly string[];
}

export type Judge = (units: readonly Unit[], chains: Chains, isAuthority: boolean) => Verdict;

/** Stands for the id of a page whose cursor cannot be read; no page has it. */
const UNUSABLE = '';

export function scopeKey({ tenant, account, scope }: Scope): string {
  return `${tenant}.${account}.${scope}`;
}

/** The scopes whose chains decide about these units. */
export function scopesOf(units: readonly Unit[]): Scope[] {
  const scopes = new Map<string, Scope>();
  for (const unit of units) {
    const scope = unit.broken ?? cursorScope(unit.page);
    if (scope) scopes.set(scopeKey(scope), scope);
  }
  return [...scopes.values()];
}

/**
 * The authority (the fold that keeps the view's cursors) demands the exact predecessor, also of a cursor that was put back: it was the one that
 * put it back, behind the page it had applied last. Should a page have been applied in between, the seed is stale, and another follows.
 * Other folds follow the authority: they take a seed as it comes and, where they lost the thread, the next page.
 */
export const judge: Judge = (units, chains, isAuthority) => {
  const pages: Page[] = [];
  const discarded: Scope[] = [];
  const seeded: Scope[] = [];
  const arrived: Scope[] = [];
  const removed: string[] = [];
  const changed: Chains = new Map();
  const lastSeen = new Map<string, { scope: Scope; page: string }>();
  const applied = (key: string) => (changed.get(key) ?? chains.get(key))?.page ?? null;

  for (const { page, broken } of units) {
    if (broken) {
      const key = scopeKey(broken);
      discarded.push(broken);
      lastSeen.set(key, { scope: broken, page: UNUSABLE });
      if (!isAuthority) changed.set(key, { scope: broken, page: null });
    }
    if (!page) continue;
    const scope = cursorScope(page);
    if (!scope || !page.cursor) {
      pages.push(page);
      if (page.facts.some(isRemoval)) removed.push(page.account);
      continue;
    }
    const key = scopeKey(scope);
    const { data, type } = page.cursor.event;
    const isSeed = type === 'mailstream.cursor.seeded.v1';
    const have = applied(key);
    lastSeen.set(key, { scope, page: data.page });
    if (isSeed) arrived.push(scope);
    if (data.prev === have || (!isAuthority && (isSeed || have === null))) {
      pages.push(page);
      changed.set(key, { scope, page: data.page });
      if (isSeed) seeded.push(scope);
    } else {
      discarded.push(scope);
    }
  }
  const diverged = [...lastSeen]
    .filter(([key, seen]) => seen.page !== applied(key))
    .map(([, seen]) => seen.scope);
  return { pages, discarded, changed, diverged, seeded, arrived, removed };
};

function cursorScope(page: Page | null): Scope | null {
  if (!page?.cursor) return null;
  return { tenant: page.tenant, account: page.account, scope: page.cursor.event.data.scope };
}

function isRemoval({ event }: Page['facts'][number]): boolean {
  return event.type === 'mailstream.account.changed.v1' && event.data.verb === 'removed';
}
