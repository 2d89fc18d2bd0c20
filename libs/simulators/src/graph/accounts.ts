/** The mailboxes Graph knows, each with its people, ids and what is held against it. */
import type { MailActions } from '../control/actions.ts';
import type { Directory } from '../mailbox/directory.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import { createRandom, mixSeeds } from '../random.ts';
import type { FeedState } from './delta-round.ts';
import type { Generations } from './generations.ts';
import type { Ids } from './ids.ts';
import type { Gate } from './throttle.ts';

export interface Account {
  /** The directory's object id: a UUID. */
  readonly id: string;
  /** Lower case; also the user principal name. */
  readonly address: string;
  readonly tenant: string;
  /** Consumer mailboxes choose their page sizes themselves. */
  readonly kind: 'work' | 'consumer';
  readonly mailbox: Mailbox;
  readonly ids: Ids;
  readonly actions: MailActions;
  readonly generations: Generations<FeedState>;
  readonly gate: Gate;
  /** Uids of messages that were permanently deleted by a request. */
  readonly purged: Set<number>;
  /** Refuses everything: a mailbox without a licence, or an application without permission. */
  refusal: 'none' | 'access-denied' | 'no-mailbox';
}

export type Accounts = Directory<Account>;

/** A UUID that belongs to a seed. */
export function uuidOf(...seeds: number[]): string {
  const random = createRandom(mixSeeds(...seeds));
  const hex = Array.from({ length: 32 }, () => random.int(16).toString(16)).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20)}`;
}
