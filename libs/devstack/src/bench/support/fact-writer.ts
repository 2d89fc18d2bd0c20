/** Fills a log as fetchers do: pages of new mail, each fenced by the cursor before it, the accounts in turn. */
import type { Bus } from '@mailstream/bus';
import { type AccountRef, subjects } from '@mailstream/contracts';
import { factPage } from './fact-page.ts';

const PAGE = 500;

export interface FactWriter {
  /** All of them, in full pages, at least one for each account; returns the bytes of the facts. */
  fill(messages: number): Promise<number>;
  /** One page of so many messages, for the account whose turn it is; returns the bytes of its facts. */
  write(count: number): Promise<number>;
}

/** Writes into accounts that nobody else writes into. */
export function createFactWriter(bus: Bus, accounts: readonly AccountRef[]): FactWriter {
  const fences = new Map<string, bigint>();
  let pages = 0;
  let first = 0;
  const write = async (count: number) => {
    const at = accounts[pages % accounts.length];
    if (at === undefined) throw new Error('--accounts must be at least 1');
    const page = factPage(at, { number: Math.floor(pages / accounts.length), first, count });
    const fence = { subject: subjects.cursor(at, 'inbox'), sequence: fences.get(at.account) ?? 0n };
    const stored = await bus.publishBatch(page, fence);
    if (stored.outcome !== 'committed') throw new Error(`a page was not stored: ${stored.outcome}`);
    fences.set(at.account, stored.sequence);
    pages += 1;
    first += count;
    return page.slice(0, -1).reduce((sum, { data }) => sum + JSON.stringify(data).length, 0);
  };
  return {
    write,
    async fill(messages) {
      if (messages < PAGE * accounts.length)
        throw new Error(
          `${messages} messages are not a page of ${PAGE} for each of ${accounts.length} accounts`,
        );
      let bytes = 0;
      for (let left = messages; left > 0; left -= PAGE) bytes += await write(Math.min(PAGE, left));
      return bytes;
    },
  };
}

/** Accounts that exist in the log only. */
export function benchAccounts(count: number): AccountRef[] {
  return Array.from({ length: count }, (_, n) => ({ tenant: 'default', account: `account-${n}` }));
}
