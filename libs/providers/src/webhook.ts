/** A provider's webhook, as the gateway reads it: without the provider's library. */

/** One thing a provider tells. */
export interface Notification {
  /** The provider's id of the subscription that it belongs to. */
  readonly subscription: string;
  /** What the subscription was made with; proves who sends. Null where the whole request was proven. */
  readonly secret: string | null;
  /**
   * `changed`: something in the mailbox. `announced`: the same, but who asks at once may not be told of it yet. `missed`: notifications were lost.
   * `ending`: the subscription has ended, or does unless it is renewed.
   */
  readonly about: 'changed' | 'announced' | 'missed' | 'ending';
}

/** The notifications of a request's body; null in place of one that makes no sense; null when the body makes none. */
export type ReadNotifications = (body: unknown) => readonly (Notification | null)[] | null;

export interface Webhook {
  /** The provider's name. */
  readonly provider: string;
  /** Below `/v1/webhooks/`. */
  readonly paths: readonly string[];
  /** The parameter of a request that only asks whether we are there: its value is to be echoed. Null: nobody asks. */
  readonly challenge: string | null;
  /** Whether it is the provider who sends, by the `Authorization` header. Absent where each notification brings a secret. */
  readonly verify?: (authorization: string | undefined) => Promise<Proof>;
  readonly read: ReadNotifications;
}

/** `reason` is for counters: one of a few words of ours. `unknown`: it cannot be told now. */
export type Proof =
  | { readonly outcome: 'genuine' }
  | { readonly outcome: 'refused' | 'unknown'; readonly reason: string; readonly message: string };

/** One notification of a queue; null when it makes no sense. `receipt` acknowledges it. */
export interface Received {
  readonly notification: Notification | null;
  readonly receipt: string;
}

/** Notifications that wait at the provider until somebody fetches them. What is not acknowledged comes again. Throws `ProviderError`. */
export interface NotificationQueue {
  /** The provider's name. */
  readonly provider: string;
  /** Waits for some; returns none when nothing came for a while. */
  receive(signal: AbortSignal): Promise<readonly Received[]>;
  acknowledge(received: readonly Received[], signal: AbortSignal): Promise<void>;
}
