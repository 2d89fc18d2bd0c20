/** Signs tokens, and publishes the key to check them with. */
import { createPublicKey, type JsonWebKey, sign } from 'node:crypto';

export interface Signer {
  /** A JWT (RS256). */
  sign(claims: Readonly<Record<string, unknown>>): string;
  /** The JSON Web Key Set. */
  readonly keys: readonly JsonWebKey[];
}

/** `privateKey`: RSA, PEM. */
export function createSigner(privateKey: string): Signer {
  const publicKey = createPublicKey(privateKey);
  const kid = 'simulator-key-1';
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return {
    sign: (claims) => {
      const unsigned = `${encode({ typ: 'JWT', alg: 'RS256', kid })}.${encode(claims)}`;
      return `${unsigned}.${sign('sha256', Buffer.from(unsigned), privateKey).toString('base64url')}`;
    },
    keys: [{ ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', alg: 'RS256' }],
  };
}
