/** Signing in with Microsoft: authorization code with PKCE for people, client credentials for applications that act for themselves. */
import { type Static, Type } from 'typebox';
import Value from 'typebox/value';
import type { ConsentAnswer, Consented, ConsentRequest, Issued, OAuth } from '../oauth.ts';
import { challengeOf, expiryOf, postForm, TokenAnswer } from '../oidc.ts';
import { ProviderError } from '../provider.ts';
import { inDirectory, type MicrosoftConfig } from './config.ts';
import { createIdentify } from './identity.ts';
import { AppSettings, GraphSettings } from './settings.ts';
import { heard, scopesInsufficient, signInError } from './sign-in-errors.ts';

/** `scope` is what was agreed to then: asking for more later, because the configuration changed, would be refused. */
const UserGrant = Type.Object({
  kind: Type.Literal('user'),
  refreshToken: Type.String(),
  scope: Type.String(),
});
type UserGrant = Static<typeof UserGrant>;

const AppGrant = Type.Object({ kind: Type.Literal('app') }, { additionalProperties: false });

/** Who may sign in where no directory is named. */
const SHARED = ['common', 'organizations', 'consumers'];

export function createMicrosoftOAuth(config: MicrosoftConfig): OAuth {
  const { clientId, directory } = config;
  const identify = createIdentify(config);

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
        throw scopesInsufficient('it gave no refresh token or no identity token');
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

/** An application gets tokens from one directory only; a mailbox's domain names its directory as well as an id does. */
function directoryOf({ directory, mailbox }: AppSettings, configured: string): string {
  if (directory !== undefined) return directory;
  return SHARED.includes(configured) ? mailbox.slice(mailbox.indexOf('@') + 1) : configured;
}
