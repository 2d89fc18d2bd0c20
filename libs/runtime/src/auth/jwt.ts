/** Callers that bring a JWT of an identity provider, or one made with a key of this installation. */
import { isScope, isToken, type Scope } from '@mailstream/contracts';
import {
  createRemoteJWKSet,
  customFetch,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose';
import { fetchWithin } from '../bounded-body.ts';
import { AppError } from '../errors.ts';
import type { AuthConfig } from './config.ts';
import type { Principal } from './principal.ts';
import { refused, unavailable } from './refusals.ts';
import { type StaticKey, staticKey } from './static-key.ts';

/** How far our clock and the issuer's may be apart, seconds. */
const CLOCK_TOLERANCE = 10;
/** For keys by URL: a set of keys is a few kilobytes, and the callers wait for it, milliseconds. */
const LARGEST_KEYS = 1024 * 1024;
const KEYS_MS = 5_000;
/** Of those: an identity provider signs, and never shares a secret. */
const ASYMMETRIC = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];

/** Throws `auth.refused` saying why, and `auth.unavailable` when the issuer's keys cannot be had. */
export type CheckToken = (token: string) => Promise<Principal>;

/** The algorithms come from the configured key and never from the token. `keysMs`: how long keys by URL may take to come. */
export function createTokenCheck(config: AuthConfig, keysMs = KEYS_MS): CheckToken {
  const { issuer, audience, tenantClaim } = config;
  const { keys, algorithms } = keysOf(config, keysMs);
  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: [...algorithms],
        issuer,
        audience,
        clockTolerance: CLOCK_TOLERANCE,
        requiredClaims: ['exp', 'sub'],
      });
      return principalOf(payload, tenantClaim);
    } catch (error) {
      throw reject(error);
    }
  };
}

function keysOf(
  { key, jwksUrl }: AuthConfig,
  keysMs: number,
): { keys: JWTVerifyGetKey; algorithms: readonly string[] } {
  if (jwksUrl !== null) {
    // Fetched when first needed, kept for ten minutes, and fetched again for an unknown key at most every thirty seconds: jose's defaults.
    const keys = createRemoteJWKSet(new URL(jwksUrl), {
      timeoutDuration: keysMs,
      [customFetch]: (url: string, init: RequestInit) => fetchWithin(LARGEST_KEYS, url, init),
    });
    return { keys, algorithms: ASYMMETRIC };
  }
  const own: StaticKey = staticKey(key ?? '');
  return { keys: async () => own.key, algorithms: own.algorithms };
}

function principalOf(payload: JWTPayload, tenantClaim: string): Principal {
  const tenant = payload[tenantClaim];
  if (typeof tenant !== 'string' || !isToken(tenant))
    throw refused(
      `must name a tenant in its claim "${tenantClaim}": letters, digits, _ and -, at most 64 of them`,
    );
  return { tenant, subject: payload.sub ?? '', scopes: scopesOf(payload) };
}

/** `scope` as RFC 8693 has it, or `scp`, which is text at Microsoft and a list at Okta. Scopes of others are not ours to judge. */
function scopesOf({ scope, scp }: JWTPayload): readonly Scope[] {
  const said = scope ?? scp;
  const list: readonly unknown[] =
    typeof said === 'string' ? said.split(' ') : Array.isArray(said) ? said : [];
  return list.filter(isScope);
}

const EXPLANATIONS: Readonly<Record<string, string>> = {
  ERR_JWT_EXPIRED: 'has expired: get a new one',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'is not signed by the issuer this installation trusts',
  ERR_JWKS_NO_MATCHING_KEY: 'is signed with a key that its issuer does not publish',
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: 'must name its key (kid): its issuer publishes several',
  ERR_JOSE_ALG_NOT_ALLOWED:
    'is signed with an algorithm that this installation does not take from its issuer',
  ERR_JOSE_NOT_SUPPORTED: 'uses something that is not supported here',
  ERR_JWS_INVALID: 'is neither a signed JWT nor an API key',
  ERR_JWT_INVALID: 'is not a JWT',
};

function reject(error: unknown): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof errors.JWTClaimValidationFailed)
    return refused(`has a claim "${error.claim}" that is missing or not the one expected here`, error);
  const explanation = error instanceof errors.JOSEError ? EXPLANATIONS[error.code] : undefined;
  if (explanation !== undefined) return refused(explanation, error);
  return unavailable(
    'tokens cannot be checked now: the keys of their issuer (MAILSTREAM_JWT_JWKS_URL) could not be fetched',
    error,
  );
}
