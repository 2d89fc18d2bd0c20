/** Who is meant by a notification of a provider: what the gateway, which has no database, knows of subscriptions. */
import { type Static, Type } from 'typebox';

/** The one message of a subscription on `PUSH`. */
export const PushTarget = Type.Object({
  tenant: Type.String(),
  account: Type.String(),
  secretHash: Type.String({
    pattern: '^[0-9a-f]{64}$',
    description: 'SHA-256 of the secret that every notification of the subscription brings.',
  }),
});
export type PushTarget = Static<typeof PushTarget>;
