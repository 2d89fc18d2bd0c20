/** Signing in with Microsoft: authorization code with PKCE for people, client credentials for applications that act for themselves. */
import type { JWTPayload } from 'jose';
import { type Static, Type } from 'typebox';
import Value from 'typebox/value';
import type { ConsentAnswer, Consented, ConsentRequest, Issued, OAuth } from '../oauth.ts';
import {
  type Answer,
  challengeOf,
  createIdentityVerifier,
  expiryOf,
  getWithToken,
  postForm,
  TokenAnswer,
} from '../oidc.ts';
import { ProviderError } from '../provider.ts';
import { DIRECTORY, type MicrosoftConfig } from './config.ts';
import { AppSettings, GraphSettings } from './settings.ts';
import { signInError, unheard } from './sign-in-errors.ts';

/** `scope` is what was agreed to then: asking for more later, because the configuration changed, would be refused. */
const UserGrant = Type.Object({
  kind: Type.Literal('user'),
  refreshToken: Type.String(),
  scope: Type.String(),
});
const AppGrant = Type.Object({ kind: Type.Literal('app') }, { additionalProperties: false });

/** Who may sign in where no directory is named. */
const SHARED = ['common', 'organizations', 'consumers'];
const GUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

export function createMicrosoftOAuth(config: MicrosoftConfig): OAuth {
  const { clientId, directory } = config;
  const verifyIdentity = createIdentityVerifier(inDirectory(config.keysUrl, directory), clientId ?? '');

  function application(): string {
    if (clientId !== null) return clientId;
    throw new ProviderError(
      'permanent',
      'microsoft.not_configured',
      'This installation has no Microsoft application yet: the operator has to register one and set MS_CLIENT_ID and MS_CLIENT_SECRET.',
    );
  }

  async function requestTokens(where: string, form: Readonly<Record<string, string>>): Promise<TokenAnswer> {
    const secret = config.clientSecret === null ? {} : { client_secret: config.clientSecret };
    const answer = await heard(
      postForm(inDirectory(config.tokenUrl, where), { client_id: application(), ...secret, ...form }),
    );
    if (answer.status === 200 && Value.Check(TokenAnswer, answer.body)) return answer.body;
    throw signInError(answer);
  }

  /** Who signed in: proven by the token's signature, and by what Graph says of the owner of the access token. */
  async function identify(
    idToken: string,
    accessToken: string,
    nonce: string,
  ): Promise<{ owner: string; user: string }> {
    const claims = await verifyIdentity(idToken, nonce).catch((error: unknown) => {
      throw notIdentified(error);
    });
    const { tid, oid } = ownerOf(claims);
    const answer = await heard(
      getWithToken(`${config.graphUrl}/me?$select=id,mail,userPrincipalName`, accessToken),
    );
    if (answer.status !== 200 || !Value.Check(Me, answer.body)) throw meRefused(answer);
    if (bare(answer.body.id) !== bare(oid))
      throw unproven('the identity token and the mailbox belong to different people');
    return { owner: `${tid}/${oid}`, user: answer.body.mail ?? answer.body.userPrincipalName };
  }

  function ownerOf(claims: JWTPayload): { tid: string; oid: string } {
    const { iss, tid, oid } = claims;
    if (typeof tid !== 'string' || typeof oid !== 'string' || !GUID.test(tid))
      throw unproven('the identity token names no owner');
    // Under `common` each directory is an issuer of its own.
    if (iss !== inDirectory(config.issuer, tid)) throw unproven('the identity token has another issuer');
    if (GUID.test(directory) && tid !== directory.toLowerCase())
      throw unproven(`the account is in another directory than ${directory}`);
    return { tid, oid };
  }

  return {
    consentUrl({ redirectUri, state, nonce, verifier, settings }: ConsentRequest) {
      const url = new URL(inDirectory(config.authorizeUrl, directory));
      const hint = Value.Check(GraphSettings, settings) ? settings.user : undefined;
      for (const [name, value] of Object.entries({
        client_id: application(),
        response_type: 'code',
        response_mode: 'query',
        redirect_uri: redirectUri,
        scope: config.scopes,
        state,
        nonce,
        code_challenge: challengeOf(verifier),
        code_challenge_method: 'S256',
        // Whoever is signed in already may not be whose mailbox is meant.
        ...(hint === undefined ? { prompt: 'select_account' } : { login_hint: hint }),
      }))
        url.searchParams.set(name, value);
      return url.href;
    },

    async redeem({ parameters, redirectUri, nonce, verifier }: ConsentAnswer): Promise<Consented> {
      const code = parameters.get('code');
      if (code === null)
        throw signInError({ status: 400, body: Object.fromEntries(parameters), retryAfterMs: null });
      const tokens = await requestTokens(directory, {
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      });
      const { access_token, refresh_token, id_token } = tokens;
      if (refresh_token === undefined || id_token === undefined)
        throw new ProviderError(
          'permanent',
          'microsoft.scopes_insufficient',
          'MS_SCOPES must hold at least openid, offline_access and User.Read: the operator has to correct it.',
        );
      const { owner, user } = await identify(id_token, access_token, nonce);
      return {
        owner,
        settings: { mailbox: null, user } satisfies GraphSettings,
        access: { accessToken: access_token, expiresAt: expiryOf(tokens) },
        grant: { kind: 'user', refreshToken: refresh_token, scope: config.scopes } satisfies UserGrant,
      };
    },

    async issue(grant: unknown, settings: unknown): Promise<Issued> {
      if (Value.Check(UserGrant, grant)) {
        const { refreshToken, scope } = grant;
        const tokens = await requestTokens(directory, {
          grant_type: 'refresh_token',
          refresh_token: refreshToken,
          scope,
        });
        return {
          access: { accessToken: tokens.access_token, expiresAt: expiryOf(tokens) },
          grant: { ...grant, refreshToken: tokens.refresh_token ?? refreshToken },
        };
      }
      if (!Value.Check(AppGrant, grant) || !Value.Check(AppSettings, settings))
        throw new ProviderError(
          'permanent',
          'microsoft.settings_invalid',
          'What is stored of this account makes no sense: remove it and connect it anew.',
        );
      const form = { grant_type: 'client_credentials', scope: config.appScope };
      const tokens = await requestTokens(directoryOf(settings, directory), form);
      return { access: { accessToken: tokens.access_token, expiresAt: expiryOf(tokens) }, grant };
    },

    unattended: {
      settings: AppSettings,
      credential: AppGrant,
      owner: (settings) => Value.Parse(AppSettings, settings).mailbox.toLowerCase(),
    },
  };
}

type UserGrant = Static<typeof UserGrant>;

const Me = Type.Object({
  id: Type.String(),
  mail: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  userPrincipalName: Type.String(),
});

function inDirectory(url: string, directory: string): string {
  return url.replaceAll(DIRECTORY, encodeURIComponent(directory));
}

/** An application gets tokens from one directory only; a mailbox's domain names its directory as well as an id does. */
function directoryOf({ directory, mailbox }: AppSettings, configured: string): string {
  if (directory !== undefined) return directory;
  return SHARED.includes(configured) ? mailbox.slice(mailbox.indexOf('@') + 1) : configured;
}

/** Graph writes the ids of personal accounts without the zeros and dashes that they have in tokens. */
function bare(id: string): string {
  return id.replaceAll('-', '').replace(/^0+/, '').toLowerCase();
}

async function heard(answer: Promise<Answer>): Promise<Answer> {
  return answer.catch((error: unknown) => {
    throw unheard(error);
  });
}

function meRefused(answer: Answer): ProviderError {
  if (answer.status === 429 || answer.status >= 500) return signInError({ ...answer, body: null });
  return new ProviderError(
    'permanent',
    'microsoft.scopes_insufficient',
    `Graph did not say whose mailbox it is (status ${answer.status}): the operator has to correct MS_GRAPH_URL, or MS_SCOPES, which must hold User.Read.`,
  );
}

/** Either the keys could not be had, or the token is not what it should be. */
function notIdentified(error: unknown): ProviderError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (error instanceof TypeError || /^(ERR_JOSE_GENERIC|ERR_JWKS_TIMEOUT)$/.test(code)) return unheard(error);
  return unproven(error instanceof Error ? error.message : 'the identity token is not valid', error);
}

function unproven(why: string, cause?: unknown): ProviderError {
  return new ProviderError(
    'auth',
    'microsoft.identity_unproven',
    `Who signed in is not proven: ${why}. Start again from the beginning.`,
    { cause },
  );
}
