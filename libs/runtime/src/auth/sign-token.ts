/** Tokens made with the secret of this installation: for `npm start`, for installations without an identity provider, and for tests. */
import { SignJWT } from 'jose';
import { AppError } from '../errors.ts';
import { OWN_NAME } from './config.ts';
import type { Principal } from './principal.ts';
import { staticKey } from './static-key.ts';

/** `secret` as in `MAILSTREAM_JWT_KEY`. Throws `config.invalid` for a public key: only its owner can sign. */
export async function signToken(
  secret: string,
  { tenant, subject, scopes }: Principal,
  expiresAt: Date,
): Promise<string> {
  const { key } = staticKey(secret.trim());
  if (key.type !== 'secret')
    throw new AppError(
      'config.invalid',
      'permanent',
      'tokens are made with a secret, and this is a public key',
    );
  return new SignJWT({ tenant, scope: scopes.join(' ') })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
    .setIssuer(OWN_NAME)
    .setAudience(OWN_NAME)
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime(expiresAt)
    .sign(key);
}
