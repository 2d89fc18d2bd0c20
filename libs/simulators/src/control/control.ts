/** The control API: everything a test may do to a simulator. Every method takes one plain JSON object, so that HTTP offers the same. */
import type { BehaviourChange, QuotaBehaviour, ThrottleBehaviour } from '../behaviour.ts';
import type { ScriptedFailure } from '../entra/app.ts';
import type { Account } from '../graph/accounts.ts';
import type { DeliveryStats } from '../graph/deliveries.ts';
import type { LifecycleEvent } from '../graph/notifications.ts';
import type { FaultPlan } from '../http/faults.ts';
import type { LoggedRequest } from '../http/request-log.ts';
import type { Locale } from '../mailbox/folders.ts';
import type { Role } from '../mailbox/message.ts';
import type { GoogleControl } from './google.ts';
import type { MailControl } from './mail.ts';

export interface NewMailbox {
  readonly address: string;
  /** `microsoft` when absent. */
  readonly provider?: 'microsoft' | 'google';
  /** Of its owner. */
  readonly name?: string;
  /** How many messages are in it from the start. */
  readonly messages?: number;
  /** A few nested folders or labels beside the usual ones; true when absent. */
  readonly userFolders?: boolean;
  /** Microsoft only. */
  readonly locale?: Locale;
  /** Microsoft only. */
  readonly kind?: 'work' | 'consumer';
  /** Microsoft only: folders that were never made, for example `archive`. */
  readonly without?: readonly Role[];
  /** Google only: the first history id, in decimal. */
  readonly historyStart?: string;
}

type Of = { readonly mailbox: string };

/** The part of the control that is about Microsoft alone. */
export interface MicrosoftControl {
  /** Entra's next failures. */
  failSignIn(failure: ScriptedFailure): void;
  /** To every subscription of a mailbox. `subscriptionRemoved` removes them. */
  lifecycle(what: Of & { readonly event: LifecycleEvent }): void;
  /** Of Graph's notifications. */
  deliveries(): DeliveryStats & { readonly underWay: number };
  endpointState(what: { readonly url: string }): 'healthy' | 'slow' | 'drop';
}

export interface Control extends MailControl, MicrosoftControl, GoogleControl {
  createMailbox(wanted: NewMailbox): { readonly id: string; readonly address: string };
  /**
   * An access token without any consent. `expiresInMs`: an hour when absent. `app`: a client id. `scopes`: Google only; full access
   * to mail and Pub/Sub when absent.
   */
  issueToken(
    what: Of & { readonly expiresInMs?: number; readonly app?: string; readonly scopes?: readonly string[] },
  ): string;
  /** Refuses all requests for a mailbox, or no longer. */
  refuse(what: Of & { readonly how: Account['refusal'] }): void;
  /** The owner takes consent back: tokens die, subscriptions and watches are removed. */
  revoke(what: Of): void;
  /** Who signs in when the request names nobody. */
  signInAs(what: Of): void;

  /** Makes every delta link of a mailbox answer 410, and every history id 404. */
  expireCursors(what: Of): void;
  behave(change: BehaviourChange): void;
  /** Limits of one mailbox, in place of the general ones. */
  throttle(what: Of & { readonly limits: Partial<ThrottleBehaviour & QuotaBehaviour> }): void;
  /** The next requests that match fail. */
  fault(plan: FaultPlan): void;
  /** Lets go what faults of kind `hold` hold back. */
  release(): void;
  /** Requests being held. */
  held(): number;
  clearFaults(): void;

  /** Moves time on. A delivery that starts within the step sees the rest of it as its endpoint's slowness: go in steps. */
  advance(what: { readonly ms: number }): void;
  now(): number;

  requests(): readonly LoggedRequest[];
  /**
   * Throws, naming each rule that was broken. Graph: no `$top` on delta, `Prefer: IdType` everywhere, not too many requests at once.
   * Gmail: no parameters that hide changes, not too many requests at once, no storms of requests without quota.
   */
  assertContract(): void;
  clearRequests(): void;
}
