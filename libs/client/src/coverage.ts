/** What a snapshot already holds, so that the change stream does not say it again. Pure. */
import type { ChangeEvent } from '@mailstream/contracts';

/** What one page of a snapshot covers, exact at a version of its account. */
export interface Covered {
  readonly account: string;
  readonly version: bigint;
  /** Messages up to this id, behind those of the account's page before; null: all the rest. */
  readonly through: string | null;
}

export interface Coverage {
  add(page: Covered): void;
  /** Whether the snapshot was read after this change had happened. */
  has(event: ChangeEvent): boolean;
}

/** Pages of an account are added in their order. */
export function createCoverage(pages: readonly Covered[] = []): Coverage {
  const accounts = new Map<string, Covered[]>();
  const add = (page: Covered) => {
    const known = accounts.get(page.account);
    if (known) known.push(page);
    else accounts.set(page.account, [page]);
  };
  for (const page of pages) add(page);

  return {
    add,
    has(event) {
      const of = accounts.get(event.account);
      // Changes of what a snapshot does not show are news in any case.
      const page = of && pageOf(of, event);
      return page !== undefined && BigInt(event.data.version) <= page.version;
    },
  };
}

function pageOf(pages: readonly Covered[], { type, data }: ChangeEvent): Covered | undefined {
  const entity = type.split('.')[1];
  if (entity === 'account' || entity === 'mailbox') return pages[0];
  if (entity !== 'message' || !('copies' in data.state)) return undefined;
  const { id } = data.state;
  return pages.find(({ through }) => through === null || id <= through);
}
