/** The token that each push of Pub/Sub brings: "Authentication for push subscriptions" in its documentation. */

import { fetchWithin } from '@mailstream/runtime';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { textOf } from '../json.ts';
import { MAX_ANSWER } from '../oidc.ts';
import type { Proof } from '../webhook.ts';
import type { GooglePushConfig } from './push-config.ts';

/** Milliseconds for Google's keys to be read in; the answer to a push must not wait long. */
const TIMEOUT_MS = 2_000;
/** Google keeps its keys for days, and tells new ones before it signs with them. A key nobody knows has them read again, now and then. */
const KEEP_MS = 6 * 60 * 60_000;
const READ_AGAIN_MS = 30_000;
/** Keys that could not be read are not asked for again before. */
const RETRY_MS = 5_000;
/** Difference of clocks that is forgiven, seconds. */
const CLOCK_TOLERANCE = 60;

type Reason =
  | 'not_configured'
  | 'token_missing'
  | 'token_invalid'
  | 'token_expired'
  | 'token_audience'
  | 'token_issuer'
  | 'token_sender';

/** Whether a push comes from Pub/Sub and the service account that the operator gave it. Whatever is sent, Google's keys are rarely asked for. */
export function createPushVerifier({ serviceAccount, audience, keysUrl, issuer }: GooglePushConfig) {
  let keys: JWTVerifyGetKey | undefined;

  async function verify(token: string, wanted: string): Promise<JWTPayload> {
    const { createRemoteJWKSet, customFetch, jwtVerify } = await import('jose');
    keys ??= createRemoteJWKSet(new URL(keysUrl), {
      timeoutDuration: TIMEOUT_MS,
      cacheMaxAge: KEEP_MS,
      cooldownDuration: READ_AGAIN_MS,
      [customFetch]: createPatientFetch(),
    });
    const { payload } = await jwtVerify(token, keys, {
      audience: wanted,
      // Google writes it both ways.
      issuer: [issuer, issuer.replace(/^https:\/\//, '')],
      algorithms: ['RS256'],
      clockTolerance: CLOCK_TOLERANCE,
      requiredClaims: ['exp'],
    });
    return payload;
  }

  return async (authorization: string | undefined): Promise<Proof> => {
    if (serviceAccount === null || audience === null)
      return refused(
        'not_configured',
        'this installation takes no pushes of Google: set GOOGLE_PUSH_SERVICE_ACCOUNT, and GOOGLE_PUSH_AUDIENCE or MAILSTREAM_PUBLIC_URL',
      );
    const token = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined)
      return refused('token_missing', 'the Pub/Sub subscription must send a token: enable authentication');
    try {
      const { email, email_verified } = await verify(token, audience);
      if (email === serviceAccount && email_verified === true) return { outcome: 'genuine' };
      return refused('token_sender', 'the token is not of GOOGLE_PUSH_SERVICE_ACCOUNT');
    } catch (error) {
      return proofOf(error);
    }
  };
}

/** What keys are read with, when there may be many reasons to at once. */
function createPatientFetch() {
  let last = Number.NEGATIVE_INFINITY;
  return (url: string, options: RequestInit): Promise<Response> => {
    const now = performance.now();
    if (now < last + RETRY_MS) return Promise.reject(new Error('the keys were asked for a moment ago'));
    last = now;
    return fetchWithin(MAX_ANSWER, url, options);
  };
}

/** By what `jose` throws; what it does not know is that the keys could not be read. */
function proofOf(error: unknown): Proof {
  switch (textOf(error, 'code')) {
    case 'ERR_JWT_EXPIRED':
      return refused('token_expired', 'the token has expired');
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED': {
      const claim = textOf(error, 'claim');
      if (claim === 'aud')
        return refused('token_audience', 'the token is for another audience than GOOGLE_PUSH_AUDIENCE');
      if (claim === 'iss') return refused('token_issuer', 'the token is not of GOOGLE_ISSUER');
      return refused('token_invalid', 'the token lacks what it must say');
    }
    case 'ERR_JWKS_NO_MATCHING_KEY':
    case 'ERR_JWKS_MULTIPLE_MATCHING_KEYS':
    case 'ERR_JWS_INVALID':
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
    case 'ERR_JWT_INVALID':
    case 'ERR_JOSE_ALG_NOT_ALLOWED':
    case 'ERR_JOSE_NOT_SUPPORTED':
      return refused('token_invalid', 'the token is not signed by Google');
    default:
      return {
        outcome: 'unknown',
        reason: 'keys_unavailable',
        message: 'Google’s keys cannot be read at the moment; check GOOGLE_CERTS_URL',
      };
  }
}

function refused(reason: Reason, message: string): Proof {
  return { outcome: 'refused', reason, message };
}
