/** What an account has spent of what its provider allows in a minute: told in jobs and reports, so that all fetchers reckon with it. */
import { type Static, Type } from 'typebox';

export const Spent = Type.Object({
  at: Type.Integer({ description: 'When the last of them were spent, Unix milliseconds.' }),
  method: Type.String({
    description: "Of the provider's API; `elsewhere` for what others spent, by the provider's word.",
  }),
  units: Type.Integer({ minimum: 0 }),
});
export type Spent = Static<typeof Spent>;

export const Spending = Type.Object({
  perMinute: Type.Integer({ description: 'Units that the account may spend in any minute.' }),
  projectPerMinute: Type.Integer({
    description: 'Units that all accounts of the provider together may spend in any minute.',
  }),
  spent: Type.Array(Spent, { description: 'In the last minute; one entry per slot of time and method.' }),
});
export type Spending = Static<typeof Spending>;

const MINUTE = 60_000;

/** Milliseconds whose units are one entry. They count until the last of them is a minute old, so a longer one would leave some unused. */
const SLOT = 250;

/** Entries with the same key are one. */
export function slotOf({ at, method }: Pick<Spent, 'at' | 'method'>): string {
  return `${Math.floor(at / SLOT)} ${method}`;
}

/**
 * What two have seen an account spend, in the last minute before `now`. Each entry grows only, and is known to whoever does the account's next
 * job: the larger one has the other in it. So any order and any repetition lead to the same.
 */
export function joinSpent(one: readonly Spent[], other: readonly Spent[], now: number): Spent[] {
  const joined = new Map<string, Spent>();
  for (const entry of [...one, ...other]) {
    const { at, method, units } = entry;
    if (at <= now - MINUTE) continue;
    const known = joined.get(slotOf(entry));
    joined.set(slotOf(entry), {
      at: Math.max(at, known?.at ?? 0),
      method,
      units: Math.max(units, known?.units ?? 0),
    });
  }
  return [...joined.values()].sort((a, b) => a.at - b.at || (a.method < b.method ? -1 : 1));
}

/** Units of the last minute before `now`, by method. */
export function unitsByMethod(spent: readonly Spent[], now: number): Record<string, number> {
  const units: Record<string, number> = {};
  for (const one of spent)
    if (one.at > now - MINUTE) units[one.method] = (units[one.method] ?? 0) + one.units;
  return units;
}
