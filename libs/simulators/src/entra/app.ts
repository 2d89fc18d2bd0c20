/** The identity platform: consent, tokens, discovery and keys. */
import { createHash } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { type Account, type Accounts, uuidOf } from '../graph/accounts.ts';
import { type HttpReply, type HttpRequest, json } from '../http/message.ts';
import type { Signer } from '../oauth/signer.ts';
import type { Random } from '../random.ts';
import { authorize, type Client } from './authorize.ts';
import { EntraFault } from './failures.ts';
import type { Tokens } from './tokens.ts';

/** A failure to come. Exactly one of `aadsts` and `status`. */
export interface ScriptedFailure {
  readonly at: 'authorize' | 'token';
  readonly times: number;
  /** An error of the table in `failures.ts`. */
  readonly aadsts?: number;
  /** 429, 500, 503, … without a JSON body. */
  readonly status?: number;
  /** Only requests for this address; any when absent. */
  readonly mailbox?: string;
}

export interface EntraDeps {
  readonly accounts: Accounts;
  readonly clients: readonly Client[];
  readonly clock: Clock;
  readonly random: Random;
  readonly tokens: Tokens;
  readonly signer: Signer;
  /** Whether the consent page agrees by itself. */
  readonly autoConsent: boolean;
  /** Who signs in when nobody is named; the first mailbox otherwise. */
  readonly signInAs: () => string | null;
  /** Milliseconds an access token lives. */
  readonly accessTokenMs: readonly [min: number, max: number];
  /** `https://host:port`. */
  readonly origin: () => string;
}

export interface Entra {
  handle(request: HttpRequest): Promise<HttpReply>;
  fail(failure: ScriptedFailure): void;
}

export function createEntra(deps: EntraDeps): Entra {
  let scripted: { readonly failure: ScriptedFailure; left: number }[] = [];
  let requests = 0;

  /** Fails as planned, if it was. */
  const stumble = (at: ScriptedFailure['at'], account: Account | null): HttpReply | null => {
    const planned = scripted.find(
      ({ failure }) => failure.at === at && (failure.mailbox ?? account?.address) === account?.address,
    );
    if (!planned) return null;
    planned.left--;
    scripted = scripted.filter(({ left }) => left > 0);
    if (planned.failure.aadsts !== undefined) throw new EntraFault(planned.failure.aadsts);
    const status = planned.failure.status ?? 500;
    const headers = { 'content-type': 'text/html', ...(status === 429 ? { 'retry-after': '5' } : {}) };
    return { status, headers, body: `<html>${status}</html>` };
  };
  const failed = (fault: EntraFault): HttpReply => {
    const id = uuidOf(++requests);
    const timestamp = new Date(deps.clock.now()).toISOString().replace('T', ' ').slice(0, 19);
    return json(fault.status, {
      error: fault.error,
      error_description: `${fault.message} Trace ID: ${id} Correlation ID: ${id} Timestamp: ${timestamp}Z`,
      error_codes: [fault.aadsts],
      timestamp: `${timestamp}Z`,
      trace_id: id,
      correlation_id: id,
    });
  };

  return {
    fail: (failure) => {
      scripted.push({ failure, left: failure.times });
    },
    handle: async (request) => {
      const [tenant = 'common', ...rest] = request.url.pathname.split('/').slice(1);
      try {
        switch (rest.join('/')) {
          case 'v2.0/.well-known/openid-configuration':
            return json(200, discovery(deps.origin(), tenant));
          case 'discovery/v2.0/keys':
            return json(200, { keys: deps.signer.keys });
          case 'oauth2/v2.0/authorize':
            return authorize(request.url, deps, (account) => stumble('authorize', account));
          case 'oauth2/v2.0/token':
            return token(new URLSearchParams(request.body.toString()), deps, (account) =>
              stumble('token', account),
            );
          default:
            return { status: 404 };
        }
      } catch (error) {
        if (error instanceof EntraFault) return failed(error);
        throw error;
      }
    },
  };
}

/** Under `common` the issuer is a template, as it really is. */
function discovery(origin: string, tenant: string) {
  const shared = ['common', 'organizations', 'consumers'].includes(tenant);
  return {
    issuer: `${origin}/${shared ? '{tenantid}' : tenant}/v2.0`,
    authorization_endpoint: `${origin}/${tenant}/oauth2/v2.0/authorize`,
    token_endpoint: `${origin}/${tenant}/oauth2/v2.0/token`,
    jwks_uri: `${origin}/${tenant}/discovery/v2.0/keys`,
    response_types_supported: ['code'],
    subject_types_supported: ['pairwise'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'profile', 'email', 'offline_access'],
  };
}

type Stumble = (account: Account | null) => HttpReply | null;

function token(form: URLSearchParams, deps: EntraDeps, stumble: Stumble): HttpReply {
  const client = deps.clients.find(({ id }) => id === form.get('client_id'));
  if (!client) throw new EntraFault(700016);
  if (client.secret !== null && form.get('client_secret') !== client.secret) throw new EntraFault(7000215);
  switch (form.get('grant_type')) {
    case 'authorization_code': {
      const code = form.get('code') ?? '';
      const { account, app, scope, redirectUri, nonce, challenge } = deps.tokens.consentOf(code);
      // A server that is down spends no code.
      const stumbled = stumble(account);
      if (stumbled) return stumbled;
      deps.tokens.spendCode(code);
      if (app !== client.id || redirectUri !== form.get('redirect_uri')) throw new EntraFault(70000);
      const verifier = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (challenge !== null && challenge !== verifier) throw new EntraFault(501481);
      return delegated(account, client.id, scope, nonce, deps);
    }
    case 'refresh_token': {
      const { account, scope } = deps.tokens.useRefresh(form.get('refresh_token') ?? '', client.id);
      return stumble(account) ?? delegated(account, client.id, scope, null, deps);
    }
    case 'client_credentials': {
      const lifetimeMs = deps.random.between(deps.accessTokenMs);
      const access = deps.tokens.issueAccess({ account: null, app: client.id }, lifetimeMs);
      return stumble(null) ?? json(200, { ...bearer(lifetimeMs), access_token: access });
    }
    default:
      throw new EntraFault(70003);
  }
}

function delegated(
  account: Account,
  app: string,
  scope: string,
  nonce: string | null,
  deps: EntraDeps,
): HttpReply {
  const { tokens, random, clock, signer } = deps;
  const lifetimeMs = random.between(deps.accessTokenMs);
  const scopes = scope.split(' ');
  const seconds = Math.floor(clock.now() / 1_000);
  const identity = {
    aud: app,
    iss: `${deps.origin()}/${account.tenant}/v2.0`,
    iat: seconds,
    nbf: seconds,
    exp: seconds + 3_600,
    oid: account.id,
    sub: account.id,
    tid: account.tenant,
    name: account.mailbox.owner.name,
    preferred_username: account.address,
    email: account.address,
    ver: '2.0',
    ...(nonce === null ? {} : { nonce }),
  };
  return json(200, {
    ...bearer(lifetimeMs),
    scope: scopes.filter((name) => name !== 'offline_access').join(' '),
    access_token: tokens.issueAccess({ account, app }, lifetimeMs),
    ...(scopes.includes('offline_access') ? { refresh_token: tokens.issueRefresh(account, app, scope) } : {}),
    ...(scopes.includes('openid') ? { id_token: signer.sign(identity) } : {}),
  });
}

function bearer(lifetimeMs: number) {
  const expires = Math.floor(lifetimeMs / 1_000);
  return { token_type: 'Bearer', expires_in: expires, ext_expires_in: expires };
}
