/** The control API: everything a test may do to a simulator. Every method takes one plain JSON object, so that HTTP offers the same. */
import type { BehaviourChange, ThrottleBehaviour } from '../behaviour.ts';
import type { ScriptedFailure } from '../entra/app.ts';
import type { Account } from '../graph/accounts.ts';
import type { DeliveryStats } from '../graph/deliveries.ts';
import type { LifecycleEvent } from '../graph/notifications.ts';
import type { FaultPlan } from '../http/faults.ts';
import type { LoggedRequest } from '../http/request-log.ts';
import type { Locale } from '../mailbox/folders.ts';
import type { Role } from '../mailbox/message.ts';
import type { MailControl } from './mail.ts';

export interface NewMailbox {
  readonly address: string;
  /** Of its owner. */
  readonly name?: string;
  /** How many messages are in it from the start. */
  readonly messages?: number;
  readonly locale?: Locale;
  readonly kind?: 'work' | 'consumer';
  /** Folders that were never made, for example `archive`. */
  readonly without?: readonly Role[];
  /** A few nested folders beside the usual ones; true when absent. */
  readonly userFolders?: boolean;
}

type Of = { readonly mailbox: string };

export interface Control extends MailControl {
  createMailbox(wanted: NewMailbox): { readonly id: string; readonly address: string };
  /** An access token without any consent. `expiresInMs`: an hour when absent. */
  issueToken(what: Of & { readonly expiresInMs?: number; readonly app?: string }): string;
  /** Refuses all requests for a mailbox, or no longer. */
  refuse(what: Of & { readonly how: Account['refusal'] }): void;
  /** The owner takes consent back: tokens die, subscriptions are removed. */
  revoke(what: Of): void;
  /** Entra's next failures. */
  failSignIn(failure: ScriptedFailure): void;
  /** Who signs in when the request names nobody. */
  signInAs(what: Of): void;

  /** Makes every delta link of a mailbox answer 410. */
  expireCursors(what: Of): void;
  behave(change: BehaviourChange): void;
  /** Limits of one mailbox, in place of the general ones. */
  throttle(what: Of & { readonly limits: Partial<ThrottleBehaviour> }): void;
  /** The next requests that match fail. */
  fault(plan: FaultPlan): void;
  /** Lets go what faults of kind `hold` hold back. */
  release(): void;
  /** Requests being held. */
  held(): number;
  clearFaults(): void;

  /** To every subscription of a mailbox. `subscriptionRemoved` removes them. */
  lifecycle(what: Of & { readonly event: LifecycleEvent }): void;
  deliveries(): DeliveryStats & { readonly underWay: number };
  endpointState(what: { readonly url: string }): 'healthy' | 'slow' | 'drop';

  /** Moves time on. A delivery that starts within the step sees the rest of it as its endpoint's slowness: go in steps. */
  advance(what: { readonly ms: number }): void;
  now(): number;

  requests(): readonly LoggedRequest[];
  /** Throws, naming each rule that was broken: no `$top` on delta, `Prefer: IdType` everywhere, not too many requests at once. */
  assertContract(): void;
  clearRequests(): void;
}
