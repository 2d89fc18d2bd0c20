/** A Gmail account: its mailbox in Gmail's words, and what is held against it. */
import type { MailActions } from '../control/actions.ts';
import type { Directory } from '../mailbox/directory.ts';
import type { Mailbox } from '../mailbox/mailbox.ts';
import type { Drafts } from './drafts.ts';
import type { History } from './history.ts';
import type { GmailIds } from './ids.ts';
import type { Labels } from './labels.ts';
import type { Meter } from './quota.ts';
import type { Threads } from './threads.ts';

export interface GmailAccount {
  /** The `sub` of its id tokens: 21 digits. */
  readonly id: string;
  /** Lower case. */
  readonly address: string;
  readonly mailbox: Mailbox;
  readonly ids: GmailIds;
  readonly labels: Labels;
  readonly history: History;
  readonly drafts: Drafts;
  readonly threads: Threads;
  readonly actions: MailActions;
  readonly meter: Meter;
  /** By project. */
  readonly watches: Map<string, Watch>;
  /** Calls of `watch` under way. */
  watching: number;
  /** Refuses everything: an administrator's policy, or mail switched off. */
  refusal: 'none' | 'access-denied' | 'no-mailbox';
}

/** One push client: a mailbox has at most one for each project. */
export interface Watch {
  readonly topic: string;
  readonly labelIds: readonly string[];
  readonly excludes: boolean;
  readonly expiresAt: number;
  /** When it was told last. */
  toldAt: number;
  /** Whether the next telling is planned. */
  due: boolean;
}

export type GmailAccounts = Directory<GmailAccount>;

/** What an access token allows. `account` is null for a service account that acts for itself. */
export interface GoogleGrant {
  readonly account: GmailAccount | null;
  readonly client: GoogleClient;
  readonly scopes: readonly string[];
}

/** A registered application. */
export interface GoogleClient {
  readonly id: string;
  readonly secret: string;
  /** Empty: any redirect is fine, which only a simulator may say. */
  readonly redirectUris: readonly string[];
  /** The id of its project: quota and push topics belong to that. */
  readonly project: string;
  /** Not published yet: consent lasts seven days. */
  readonly testing?: boolean;
}
