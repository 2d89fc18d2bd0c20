/** NKeys of users: a seed that proves who one is, and the public key that the server knows. */
import { nkeys } from '@nats-io/nats-core';

export interface UserKey {
  /** `SU…`; secret. */
  readonly seed: string;
  /** `U…`. */
  readonly publicKey: string;
}

export function createUserKey(): UserKey {
  const pair = nkeys.createUser();
  return { seed: new TextDecoder().decode(pair.getSeed()), publicKey: pair.getPublicKey() };
}
