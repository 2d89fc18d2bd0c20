/** Who calls an API. One static bearer token per installation in this slice; what it grants is one tenant. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { AppError } from './errors.ts';

/** A caller that was recognised. */
export interface Principal {
  readonly tenant: string;
}

/** The tenant of a single-tenant installation. */
export const DEFAULT_TENANT = 'default';

export type Authenticate = (authorization: string | undefined) => Principal;

/** Checks `Authorization: Bearer <token>` in constant time. Throws `auth.missing` or `auth.refused`, class `auth`. */
export function createTokenAuth(token: string): Authenticate {
  const expected = digest(token);
  return (authorization) => {
    const given = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) {
      throw new AppError(
        'auth.missing',
        'auth',
        'send the API token as `Authorization: Bearer <token>` (npm start keeps it in .mailstream/token)',
      );
    }
    if (!timingSafeEqual(digest(given), expected))
      throw new AppError('auth.refused', 'auth', 'the API token is not the one this installation uses');
    return { tenant: DEFAULT_TENANT };
  };
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
