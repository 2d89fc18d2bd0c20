/** Where an observation stands in the log: all that versions, times and ids of rows may come from. */
import type { Origin } from '@mailstream/contracts';
import type { Fact, Page } from '@mailstream/fold';

export interface At {
  readonly tenant: string;
  readonly account: string;
  /** The fact's version: its sequence as long as no log was lost. */
  readonly sequence: bigint;
  /** When the log stored it, Unix milliseconds: the only clock of the view. */
  readonly time: number;
  /** The event's id, unique in the log. */
  readonly event: string;
  readonly origin: Origin | null;
}

export function atOf(page: Page, fact: Fact): At {
  const { event } = fact;
  return {
    tenant: page.tenant,
    account: page.account,
    sequence: fact.version,
    time: fact.time.getTime(),
    event: event.id,
    origin: 'origin' in event.data ? event.data.origin : null,
  };
}

/** What a fact did to a copy or a mailbox, for the counts of its run. */
export type Outcome = 'inserted' | 'updated' | 'deleted';

/**
 * How long what is gone may still turn up elsewhere, milliseconds of log time: a move is seen as an arrival and a removal, in pages of
 * two mailboxes, in any order.
 */
export const LINGER_MS = 3_600_000;

/** Whether something gone since `goneAt` is to be treated as if it had never been. Null: it is there. */
export function isForgotten(goneAt: number | null, now: number): boolean {
  return goneAt !== null && now - goneAt > LINGER_MS;
}
