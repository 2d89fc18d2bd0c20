/** Recognising a caller by what it brings: a JWT or an API key. */
import type { AuthConfig } from './config.ts';
import { createTokenCheck } from './jwt.ts';
import { createKeyCheck, type FindKey } from './key-check.ts';
import type { Principal } from './principal.ts';
import { missing } from './refusals.ts';

/** `authorization` is the request's header. Throws `auth.missing`, `auth.refused`, `auth.unavailable`. */
export type Authenticate = (authorization: string | undefined) => Promise<Principal>;

/** Throws `config.invalid` for a key that is none. */
export function createAuthenticate(config: AuthConfig, findKey: FindKey): Authenticate {
  const checkToken = createTokenCheck(config);
  const checkKey = createKeyCheck(findKey);
  return async (authorization) => {
    const given = /^Bearer +([\w.~+/=-]+)$/i.exec(authorization ?? '')?.[1];
    if (given === undefined) throw missing();
    return given.startsWith('ms_') ? checkKey(given) : checkToken(given);
  };
}
