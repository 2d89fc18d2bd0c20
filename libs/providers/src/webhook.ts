/** A provider's webhook, as the gateway reads it: pure, and without the provider's library. */

/** One thing a provider tells. */
export interface Notification {
  /** The provider's id of the subscription that it belongs to. */
  readonly subscription: string;
  /** What the subscription was made with; proves who sends. */
  readonly secret: string;
  /** `changed`: something in the mailbox. `missed`: notifications were lost. `ending`: the subscription has ended, or does unless it is renewed. */
  readonly about: 'changed' | 'missed' | 'ending';
}

export interface Webhook {
  /** The provider's name. */
  readonly provider: string;
  /** Below `/v1/webhooks/`. */
  readonly paths: readonly string[];
  /** The parameter of a request that only asks whether we are there: its value is to be echoed. */
  readonly challenge: string;
  /** The notifications of a request's body; null in place of one that makes no sense; null when the body makes none. */
  readonly read: (body: unknown) => readonly (Notification | null)[] | null;
}
