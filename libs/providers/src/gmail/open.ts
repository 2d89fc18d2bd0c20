/** What a pull is done with. */
import type { GmailClient } from './client.ts';
import type { Ledger } from './ledger.ts';

/** Sizes and times; tests make them small. */
export interface Tuning {
  /** Messages per page of ours. */
  readonly page: number;
  /** Messages that one job imports, about: a live look waits that long at most. */
  readonly job: number;
  /** Ids per page of a list, at most 500. */
  readonly list: number;
  /** Milliseconds between two comparisons of all ids. */
  readonly reconcileMs: number;
  /** Milliseconds until an answer must be complete. */
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** The mailbox being pulled. */
export interface Open {
  readonly client: GmailClient;
  readonly tuning: Tuning;
  readonly ledger: Pick<Ledger, 'forImport' | 'importWaitMs' | 'importMs' | 'cost'>;
  readonly account: string;
  readonly signal: AbortSignal;
  /** Ids of the labels there are now. History tells of others, too, which are gone. */
  labels(): Promise<ReadonlySet<string>>;
}
