/** The part of the control that is about Google alone. */
import type { Spending } from '../gmail/quota.ts';
import type { GoogleFailure } from '../google/failures.ts';
import type { Content } from '../mailbox/message.ts';
import type { PushStats } from '../pubsub/push.ts';
import type { Selected } from './mail.ts';

type Of = { readonly mailbox: string };

export interface GoogleControl {
  /** Labels by id, all changed at once. */
  label(what: Selected & { readonly add?: readonly string[]; readonly remove?: readonly string[] }): void;
  /** A new draft, or another version of `draft`: its message gets another id. */
  saveDraft(what: {
    readonly mailbox: string;
    readonly draft?: string;
    readonly content?: Partial<Omit<Content, 'attachments'>>;
  }): { readonly draft: string; readonly id: string };
  /** The id of the sent message. */
  sendDraft(what: { readonly mailbox: string; readonly draft: string }): string;
  /** Quota units spent on a mailbox by the project of `app` (the first client). */
  spending(what: Of & { readonly app?: string }): Spending;
  watches(what: Of): { readonly project: string; readonly topic: string; readonly expiresAt: number }[];

  /** `topic`: `projects/P/topics/T`. */
  createTopic(what: { readonly topic: string; readonly gmailMayPublish?: boolean }): void;
  /**
   * `subscription`: `projects/P/subscriptions/S`. Pushed when there is a `pushEndpoint`, with a token when there is a
   * `serviceAccountEmail`; the `audience` is the endpoint when absent.
   */
  subscribe(what: {
    readonly subscription: string;
    readonly topic: string;
    readonly pushEndpoint?: string;
    readonly audience?: string;
    readonly serviceAccountEmail?: string;
    readonly ackDeadlineSeconds?: number;
  }): void;
  /** Any text as the data of a message: also what no mailbox would send. */
  publish(what: { readonly topic: string; readonly data: string }): void;
  pushes(): PushStats & { readonly underWay: number };
  /** How many messages of a pulled subscription are not acknowledged. */
  unacknowledged(what: { readonly subscription: string }): number;

  /** The next failures of Google's sign-in. */
  failGoogleSignIn(failure: GoogleFailure): void;
  /** What the owner will not tick on the consent page. */
  withholdScopes(what: Of & { readonly scopes: readonly string[] }): void;
  /** Whether the service account may act for people; so it may from the start. */
  delegate(what: { readonly allowed: boolean }): void;
}
