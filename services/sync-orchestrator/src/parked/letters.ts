/** What is parked, as one tenant may see it. */
import type { Bus, Stored } from '@mailstream/bus';
import { DeadLetter, type ParkedEvent, tenantOf } from '@mailstream/contracts';
import { Compile } from 'typebox/compile';

/** How many of `DEAD` one call looks at: those of other tenants are passed over. */
const LOOKED_AT = 500n;
const AT_A_TIME = 20n;

const letter = Compile(DeadLetter);

export interface LettersPage {
  readonly items: ParkedEvent[];
  /** Where to go on; null at the oldest. */
  readonly next: bigint | null;
}

type Dead = Pick<Bus, 'at' | 'state'>;

/** Newest first, those below `before`. A page may have fewer than `limit` and still not be the last. */
export async function listLetters(
  bus: Dead,
  tenant: string,
  { before, limit }: { readonly before: bigint | null; readonly limit: number },
): Promise<LettersPage> {
  const { first, last } = await bus.state('DEAD');
  const top = before !== null && before <= last ? before - 1n : last;
  const bottom = top - LOOKED_AT < first ? first : top - LOOKED_AT + 1n;
  const items: ParkedEvent[] = [];
  for (let from = top; from >= bottom && from > 0n; from -= AT_A_TIME) {
    const sequences = Array.from({ length: Number(AT_A_TIME) }, (_, n) => from - BigInt(n));
    const stored = await Promise.all(
      sequences.filter((one) => one >= bottom && one > 0n).map((sequence) => bus.at('DEAD', sequence)),
    );
    items.push(...stored.flatMap((one) => shownTo(tenant, one)));
    const nth = items[limit - 1];
    if (nth) return { items: items.slice(0, limit), next: BigInt(nth.id) > first ? BigInt(nth.id) : null };
  }
  return { items, next: bottom > first ? bottom : null };
}

/** Null when there is none, or it is another tenant's. */
export async function findLetter(bus: Dead, tenant: string, id: string): Promise<ParkedEvent | null> {
  return shownTo(tenant, await bus.at('DEAD', BigInt(id)))[0] ?? null;
}

/** Of another tenant nothing; of what names no tenant the fact, without its content. */
function shownTo(tenant: string, stored: Stored | null): ParkedEvent[] {
  const value = stored && parse(stored.data);
  if (!stored || !letter.Check(value)) return [];
  const owner = tenantOf(value.subject);
  const parked = { ...value, id: String(stored.sequence) };
  if (owner === tenant) return [parked];
  return owner === null ? [{ ...parked, payload: '', truncated: true }] : [];
}

/** Anything may stand there: undefined for what is no JSON. */
function parse(data: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(data));
  } catch {
    return undefined;
  }
}
