/** What the pull of one folder is done with. */

import { textOf } from '../json.ts';
import type { GraphClient } from './client.ts';
import { mailboxKey } from './normalize.ts';

/** Sizes and times; tests make them small. */
export interface Tuning {
  /** Messages per page, as a wish. */
  readonly page: number;
  /** Messages that one job imports, about: a live look at the same folder waits that long at most. */
  readonly job: number;
  /** Ids or folders per page of a list. */
  readonly list: number;
  /** Milliseconds between two comparisons of all ids of a folder. */
  readonly reconcileMs: number;
  /** Milliseconds until a folder's feed knows of what came to it. */
  readonly settleMs: number;
  /** Milliseconds until an answer must be complete. */
  readonly timeoutMs: number;
  readonly now: () => number;
}

/** The folder being pulled. */
export interface Open {
  readonly client: GraphClient;
  readonly mailbox: string;
  /** Its id. */
  readonly folder: string;
  readonly tuning: Tuning;
  readonly signal: AbortSignal;
  /** Id of the folder where messages wait for their end unseen: to be there is to be deleted. Null where there is none. */
  discards(): Promise<string | null>;
}

/** Key of the mailbox that a message is in; null when that is none. */
export async function placeOf(open: Open, message: unknown): Promise<string | null> {
  const parent = textOf(message, 'parentFolderId') ?? open.folder;
  if (parent === open.folder) return open.mailbox;
  return parent === (await open.discards()) ? null : mailboxKey(parent);
}
