/** Signing in with Google: authorization code with PKCE for people, signed assertions for a service account. */
import { type Static, Type } from 'typebox';
import Value from 'typebox/value';
import { textOf } from '../json.ts';
import type { ConsentAnswer, Consented, ConsentRequest, Issued, OAuth } from '../oauth.ts';
import { challengeOf, createIdentityVerifier, expiryOf, postForm, TokenAnswer } from '../oidc.ts';
import { ProviderError } from '../provider.ts';
import type { GoogleConfig } from './config.ts';
import { createAssertion } from './service-account.ts';
import { AppSettings, GmailSettings } from './settings.ts';
import { scopesInsufficient, signInError, unheard, unproven } from './sign-in-errors.ts';

const UserGrant = Type.Object({ kind: Type.Literal('user'), refreshToken: Type.String() });
type UserGrant = Static<typeof UserGrant>;

const AppGrant = Type.Object({ kind: Type.Literal('app') }, { additionalProperties: false });

/** Any of these lets mail be read with its headers. */
const READS =
  /^https:\/\/(mail\.google\.com\/|www\.googleapis\.com\/auth\/gmail\.(readonly|modify|metadata))$/;

export function createGoogleOAuth(config: GoogleConfig): OAuth {
  const { clientId, issuer } = config;
  const verify = createIdentityVerifier(config.keysUrl, clientId ?? '');

  function application(): string {
    if (clientId !== null) return clientId;
    throw new ProviderError(
      'permanent',
      'google.not_configured',
      'This installation has no Google application yet: the operator has to register one and set GOOGLE_CLIENT_ID and GOOGLE_CLIENT_SECRET.',
    );
  }

  async function requestTokens(form: Readonly<Record<string, string>>) {
    const answer = await postForm(config.tokenUrl, form).catch((error: unknown) => {
      throw unheard(error);
    });
    if (answer.status !== 200 || !Value.Check(TokenAnswer, answer.body)) throw signInError(answer);
    const { body } = answer;
    return {
      ...body,
      scope: textOf(body, 'scope') ?? '',
      access: { accessToken: body.access_token, expiresAt: expiryOf(body) },
    };
  }

  const asApplication = (form: Readonly<Record<string, string>>) =>
    requestTokens({
      client_id: application(),
      ...(config.clientSecret === null ? {} : { client_secret: config.clientSecret }),
      ...form,
    });

  async function identify(idToken: string, nonce: string): Promise<{ owner: string; user: string }> {
    const claims = await verify(idToken, nonce).catch((error: unknown) => {
      const code = error instanceof Error && 'code' in error ? String(error.code) : '';
      if (error instanceof TypeError || /^(ERR_JOSE_GENERIC|ERR_JWKS_TIMEOUT)$/.test(code))
        throw unheard(error);
      throw unproven(error instanceof Error ? error.message : 'the identity token is not valid', error);
    });
    // Google writes it both ways.
    if (claims.iss !== issuer && `https://${claims.iss}` !== issuer)
      throw unproven('the identity token has another issuer');
    const { sub, email } = claims;
    if (sub === undefined || typeof email !== 'string')
      throw scopesInsufficient('the identity token names no address');
    return { owner: sub, user: email };
  }

  return {
    consentUrl({ redirectUri, state, nonce, verifier, settings }: ConsentRequest) {
      const url = new URL(config.authorizeUrl);
      const hint = Value.Check(GmailSettings, settings) ? settings.user : undefined;
      for (const [name, value] of Object.entries({
        client_id: application(),
        response_type: 'code',
        redirect_uri: redirectUri,
        scope: config.scopes,
        state,
        nonce,
        code_challenge: challengeOf(verifier),
        code_challenge_method: 'S256',
        access_type: 'offline',
        include_granted_scopes: 'true',
        // Without being asked again nobody gets a second refresh token.
        ...(hint === undefined
          ? { prompt: 'consent select_account' }
          : { prompt: 'consent', login_hint: hint }),
      }))
        url.searchParams.set(name, value);
      return url.href;
    },

    async redeem({ parameters, redirectUri, nonce, verifier }: ConsentAnswer): Promise<Consented> {
      const code = parameters.get('code');
      if (code === null)
        throw signInError({ status: 400, body: Object.fromEntries(parameters), retryAfterMs: null });
      const tokens = await asApplication({
        grant_type: 'authorization_code',
        code,
        redirect_uri: redirectUri,
        code_verifier: verifier,
      });
      const { refresh_token, id_token, scope, access } = tokens;
      if (refresh_token === undefined || id_token === undefined)
        throw scopesInsufficient('it gave no refresh token or no identity token');
      // People may untick what they do not like.
      if (!scope.split(' ').some((one) => READS.test(one)))
        throw scopesInsufficient('mail may not be read with it');
      const { owner, user } = await identify(id_token, nonce);
      return {
        owner,
        settings: { user } satisfies GmailSettings,
        access,
        grant: { kind: 'user', refreshToken: refresh_token } satisfies UserGrant,
      };
    },

    async issue(grant: unknown, settings: unknown): Promise<Issued> {
      if (Value.Check(UserGrant, grant)) {
        const { refreshToken } = grant;
        const tokens = await asApplication({ grant_type: 'refresh_token', refresh_token: refreshToken });
        return {
          access: tokens.access,
          grant: { ...grant, refreshToken: tokens.refresh_token ?? refreshToken },
        };
      }
      if (!Value.Check(AppGrant, grant) || !Value.Check(AppSettings, settings))
        throw new ProviderError(
          'permanent',
          'google.settings_invalid',
          'What is stored of this account makes no sense: remove it and connect it anew.',
        );
      const assertion = await createAssertion({
        file: config.serviceAccountFile,
        setting: 'GOOGLE_SERVICE_ACCOUNT_FILE',
        scope: config.appScope,
        tokenUrl: config.tokenUrl,
        person: settings.mailbox,
      });
      const { access } = await requestTokens(assertion);
      return { access, grant };
    },

    unattended: {
      settings: AppSettings,
      credential: AppGrant,
      owner: (settings) => Value.Parse(AppSettings, settings).mailbox.toLowerCase(),
    },
  };
}
