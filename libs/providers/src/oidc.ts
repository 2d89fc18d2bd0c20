/** The wire of OAuth 2.0 and OpenID Connect: what any provider that is signed in with does the same way. */
import { createHash } from 'node:crypto';
import { fetchWithin, readText } from '@mailstream/runtime';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { type Static, Type } from 'typebox';
import { withoutSecrets } from './secrets.ts';

/** How long a provider may take to answer, milliseconds. */
const TIMEOUT_MS = 10_000;

/** Tokens and keys are a few kilobytes. */
export const MAX_ANSWER = 1024 * 1024;

/** What an endpoint that refuses may repeat, and nobody else is to read (RFC 6749, 7523, 7636). */
const SECRET_FIELDS = ['client_secret', 'refresh_token', 'code', 'code_verifier', 'assertion'];

/** Difference of clocks that is forgiven, seconds. */
const CLOCK_TOLERANCE = 60;

/** What a token endpoint gives (RFC 6749, 5.1). */
export const TokenAnswer = Type.Object({
  access_token: Type.String({ minLength: 1 }),
  expires_in: Type.Number({ minimum: 1 }),
  token_type: Type.String({ pattern: '^[Bb]earer$' }),
  refresh_token: Type.Optional(Type.String({ minLength: 1 })),
  id_token: Type.Optional(Type.String({ minLength: 1 })),
});
export type TokenAnswer = Static<typeof TokenAnswer>;

/** What was answered, whatever it is. */
export interface Answer {
  readonly status: number;
  /** Parsed; null when it is not JSON. */
  readonly body: unknown;
  /** From `Retry-After`, milliseconds. */
  readonly retryAfterMs: number | null;
}

/** Sends a form, as token endpoints take it (RFC 6749, 3.2). Rejects with what `fetch` throws when nobody answers in ten seconds. */
export function postForm(url: string, form: Readonly<Record<string, string>>): Promise<Answer> {
  const secrets = SECRET_FIELDS.flatMap((name) => form[name] ?? []);
  return call(url, { method: 'POST', body: new URLSearchParams(form) }, secrets);
}

/** Reads with an access token. Rejects as `postForm` does. */
export function getWithToken(url: string, accessToken: string): Promise<Answer> {
  return call(url, { headers: { authorization: `Bearer ${accessToken}` } }, [accessToken]);
}

async function call(url: string, init: RequestInit, secrets: readonly string[]): Promise<Answer> {
  const headers = { ...init.headers, accept: 'application/json' };
  // Not followed elsewhere: what is sent here is secret.
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const response = await fetch(url, { ...init, headers, redirect: 'manual', signal });
  const text = await readText(response, MAX_ANSWER);
  const body = parseJson(response.ok ? text : withoutSecrets(text, secrets));
  return { status: response.status, body, retryAfterMs: retryAfterOf(response.headers) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Seconds or a date (RFC 9110, 10.2.3). */
function retryAfterOf(headers: Headers): number | null {
  const text = headers.get('retry-after');
  if (text === null) return null;
  const ms = /^\d+$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

/** The digest of a PKCE verifier (RFC 7636, S256). */
export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** When a token that was issued now ends. */
export function expiryOf({ expires_in }: TokenAnswer): string {
  return new Date(Date.now() + expires_in * 1_000).toISOString();
}

/** Verifies an identity token: signature, audience, times and nonce. The issuer is the caller's to check. Rejects with what `jose` throws. */
export type VerifyIdentity = (token: string, nonce: string) => Promise<JWTPayload>;

/** The published keys are read when first needed, kept, and read again when a token names one that is not among them. */
export function createIdentityVerifier(keysUrl: string, audience: string): VerifyIdentity {
  let keys: JWTVerifyGetKey | undefined;
  return async (token, nonce) => {
    const { createRemoteJWKSet, customFetch, jwtVerify } = await import('jose');
    keys ??= createRemoteJWKSet(new URL(keysUrl), {
      timeoutDuration: TIMEOUT_MS,
      [customFetch]: (url: string, init: RequestInit) => fetchWithin(MAX_ANSWER, url, init),
    });
    const { payload } = await jwtVerify(token, keys, {
      audience,
      algorithms: ['RS256'],
      clockTolerance: CLOCK_TOLERANCE,
      requiredClaims: ['iss', 'sub', 'exp', 'iat', 'nonce'],
    });
    if (payload.nonce !== nonce) throw new Error('the token belongs to another sign-in');
    return payload;
  };
}
