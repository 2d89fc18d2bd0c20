/** Google's identity platform: consent, tokens, discovery and keys. */
import { createHash } from 'node:crypto';
import type { GmailAccount, GoogleClient } from '../gmail/accounts.ts';
import { type HttpReply, type HttpRequest, json } from '../http/message.ts';
import type { Signer } from '../oauth/signer.ts';
import { overHttp } from '../oauth/wire.ts';
import type { Shared } from '../shared.ts';
import { type AuthorizeDeps, authorize } from './authorize.ts';
import { expiredOrRevoked, faultOf, type GoogleFailure, SignInFault } from './failures.ts';
import { readAssertion, type ServiceAccount } from './service-account.ts';
import type { GoogleConsent } from './tokens.ts';

export interface GoogleDeps extends AuthorizeDeps, Shared {
  readonly signer: Signer;
  readonly serviceAccount: () => ServiceAccount;
  /** Whether an administrator lets the service account act for people. */
  readonly delegated: () => boolean;
  /** Milliseconds an access token lives. */
  readonly accessTokenMs: readonly [min: number, max: number];
  /** `https://host:port`. */
  readonly origin: () => string;
}

export interface Google {
  handle(request: HttpRequest): Promise<HttpReply>;
  fail(failure: GoogleFailure): void;
}

const ISSUER = 'https://accounts.google.com';

export function createGoogle(deps: GoogleDeps): Google {
  let scripted: { readonly failure: GoogleFailure; left: number }[] = [];

  /** Fails as planned, if it was. */
  const stumble = (at: GoogleFailure['at'], account: GmailAccount | null): HttpReply | null => {
    const planned = scripted.find(
      ({ failure }) => failure.at === at && (failure.mailbox ?? account?.address) === account?.address,
    );
    if (!planned) return null;
    planned.left--;
    scripted = scripted.filter(({ left }) => left > 0);
    const { status } = planned.failure;
    if (status === undefined) throw faultOf(planned.failure);
    return {
      status,
      headers: { 'content-type': 'text/html; charset=utf-8' },
      body: `<html>${status}</html>`,
    };
  };
  const route = (request: HttpRequest): HttpReply => {
    const form = () => new URLSearchParams(request.body.toString());
    switch (request.url.pathname) {
      case '/.well-known/openid-configuration':
        return json(200, discovery(deps.origin()));
      case '/oauth2/v3/certs':
        return json(200, { keys: deps.signer.keys }, { 'cache-control': 'public, max-age=19800' });
      case '/oauth2/v1/certs':
        // One key for all: the certificate of the servers is that of the signer.
        return json(200, Object.fromEntries(deps.signer.keys.map(({ kid }) => [kid, deps.tls.cert])));
      case '/o/oauth2/v2/auth':
        return authorize(request.url, deps, (account) => stumble('authorize', account));
      case '/token':
        return token(form(), deps, (account) => stumble('token', account));
      case '/revoke':
        return deps.tokens.revokeToken(form().get('token') ?? request.url.searchParams.get('token') ?? '')
          ? json(200, {})
          : json(400, { error: 'invalid_token', error_description: 'Token expired or revoked' });
      default:
        return { status: 404 };
    }
  };

  return {
    fail: (failure) => {
      scripted.push({ failure, left: failure.times });
    },
    handle: overHttp(
      'google',
      async (request) => {
        try {
          return route(request);
        } catch (error) {
          if (!(error instanceof SignInFault)) throw error;
          return json(error.status, {
            error: error.error,
            error_description: error.message,
            ...(error.subtype === null ? {} : { error_subtype: error.subtype }),
          });
        }
      },
      deps,
    ),
  };
}

function discovery(origin: string) {
  return {
    issuer: ISSUER,
    authorization_endpoint: `${origin}/o/oauth2/v2/auth`,
    token_endpoint: `${origin}/token`,
    revocation_endpoint: `${origin}/revoke`,
    jwks_uri: `${origin}/oauth2/v3/certs`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'email', 'profile'],
    code_challenge_methods_supported: ['plain', 'S256'],
  };
}

type Stumble = (account: GmailAccount | null) => HttpReply | null;

function token(form: URLSearchParams, deps: GoogleDeps, stumble: Stumble): HttpReply {
  const field = (name: string) => form.get(name) ?? '';
  if (field('grant_type') === 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
    const grant = readAssertion(
      field('assertion'),
      deps.serviceAccount(),
      deps.accounts,
      deps.clock.now(),
      deps.delegated(),
    );
    const lifetimeMs = deps.random.between(deps.accessTokenMs);
    const access = deps.tokens.issueAccess(grant, lifetimeMs);
    return stumble(grant.account) ?? json(200, { access_token: access, ...bearer(lifetimeMs) });
  }
  const client = deps.clients.find(({ id }) => id === field('client_id'));
  if (!client) throw new SignInFault('invalid_client', 'The OAuth client was not found.');
  if (field('client_secret') !== client.secret) throw new SignInFault('invalid_client', 'Unauthorized');
  switch (field('grant_type')) {
    case 'authorization_code': {
      const consent = deps.tokens.consentOf(field('code'));
      // A server that is down spends no code.
      const stumbled = stumble(consent.account);
      if (stumbled) return stumbled;
      deps.tokens.spendCode(field('code'));
      return redeem(consent, client, form, deps);
    }
    case 'refresh_token': {
      const { account, scopes } = deps.tokens.useRefresh(field('refresh_token'), client);
      return stumble(account) ?? json(200, answer({ account, client, scopes }, null, deps));
    }
    default:
      throw new SignInFault('unsupported_grant_type', `Invalid grant_type: ${field('grant_type')}`);
  }
}

function redeem(
  consent: GoogleConsent,
  client: GoogleClient,
  form: URLSearchParams,
  deps: GoogleDeps,
): HttpReply {
  const { challenge, redirectUri } = consent;
  if (consent.client !== client) throw expiredOrRevoked();
  if (redirectUri !== form.get('redirect_uri')) throw new SignInFault('redirect_uri_mismatch', 'Bad Request');
  if (challenge) {
    const verifier = form.get('code_verifier');
    if (verifier === null) throw new SignInFault('invalid_grant', 'Missing code verifier.');
    const hashed =
      challenge.method === 'plain' ? verifier : createHash('sha256').update(verifier).digest('base64url');
    if (hashed !== challenge.value) throw new SignInFault('invalid_grant', 'Invalid code verifier.');
  }
  const refresh = consent.offline ? { refresh_token: deps.tokens.issueRefresh(consent) } : {};
  return json(200, { ...answer(consent, consent.nonce, deps), ...refresh });
}

/** There is never a refresh token in here: the one from the consent stays the one. */
function answer(
  { account, client, scopes }: Pick<GoogleConsent, 'account' | 'client' | 'scopes'>,
  nonce: string | null,
  { tokens, random, clock, signer, accessTokenMs }: GoogleDeps,
): object {
  const lifetimeMs = random.between(accessTokenMs);
  const seconds = Math.floor(clock.now() / 1_000);
  const seesAddress = ['email', 'https://www.googleapis.com/auth/userinfo.email'].some((scope) =>
    scopes.includes(scope),
  );
  const identity = {
    iss: ISSUER,
    azp: client.id,
    aud: client.id,
    sub: account.id,
    ...(seesAddress ? { email: account.address, email_verified: true } : {}),
    ...(scopes.includes('profile') ? { name: account.mailbox.owner.name } : {}),
    ...(nonce === null ? {} : { nonce }),
    iat: seconds,
    exp: seconds + 3_600,
  };
  return {
    access_token: tokens.issueAccess({ account, client, scopes }, lifetimeMs),
    ...bearer(lifetimeMs),
    scope: scopes.join(' '),
    ...(scopes.includes('openid') ? { id_token: signer.sign(identity) } : {}),
  };
}

function bearer(lifetimeMs: number) {
  return { expires_in: Math.floor(lifetimeMs / 1_000), token_type: 'Bearer' };
}
