/** Subscriptions to a provider's notifications: whose they are, and what passes between orchestrator and fetchers about them. */
import { type Static, Type } from 'typebox';
import { FailureClass, nullable } from './facts/common.ts';

const SecretHash = Type.String({
  pattern: '^[0-9a-f]{64}$',
  description: 'SHA-256 of the secret that every notification of the subscription brings.',
});

/** One account that a subscription is about. */
const PushTarget = Type.Object({
  tenant: Type.String(),
  account: Type.String(),
  secretHash: SecretHash,
});
export type PushTarget = Static<typeof PushTarget>;

/**
 * Whose mailbox a subscription is about: its one message on `PUSH`, from which the gateway, which has no database, knows it. Several accounts
 * where tenants have connected the same mailbox and the provider has one subscription for all.
 */
export const PushTargets = Type.Object({ targets: Type.Array(PushTarget) });
export type PushTargets = Static<typeof PushTargets>;

/** Ends one subscription, keeps another, or both. May be done twice: what is there is found again. */
export const SubscriptionJob = Type.Object({
  tenant: Type.String(),
  account: Type.String(),
  provider: Type.String(),
  credentialVersion: Type.Integer(),
  end: nullable(Type.String({ description: "The provider's id of one that is not wanted any more." })),
  keep: nullable(
    Type.Object({
      known: nullable(Type.String({ description: "The provider's id of the one to renew; null: make one." })),
      notificationUrl: Type.String({
        description: 'Where the provider is to send: an address of ours, or the name of a topic.',
      }),
    }),
  ),
});
export type SubscriptionJob = Static<typeof SubscriptionJob>;

/** What came of keeping it. Lossy by nature: one that nothing is heard of is asked for again. */
export const SubscriptionReport = Type.Union([
  Type.Object({
    ok: Type.Literal(true),
    id: Type.String(),
    secretHash: nullable(SecretHash),
    notificationUrl: Type.String(),
    expiresAt: Type.String(),
    renewAt: Type.Optional(
      Type.String({
        description: 'When the provider wants to be asked again; at half of its life when absent.',
      }),
    ),
  }),
  Type.Object({
    ok: Type.Literal(false),
    failure: FailureClass,
    code: Type.String(),
    message: Type.String(),
    retryAfterMs: nullable(Type.Integer()),
    gone: Type.Optional(
      Type.String({
        description: "The provider's id of the one that was there before and is not any more.",
      }),
    ),
  }),
]);
export type SubscriptionReport = Static<typeof SubscriptionReport>;
