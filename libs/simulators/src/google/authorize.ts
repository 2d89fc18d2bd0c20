/** The page where a person signs in with Google and agrees, perhaps to less than was asked. */
import type { GmailAccount, GmailAccounts, GoogleClient } from '../gmail/accounts.ts';
import type { HttpReply } from '../http/message.ts';
import { consentPage, page, redirectBack } from '../oauth/pages.ts';
import { SignInFault } from './failures.ts';
import type { GoogleTokens } from './tokens.ts';

export interface AuthorizeDeps {
  readonly accounts: GmailAccounts;
  readonly clients: readonly GoogleClient[];
  readonly tokens: GoogleTokens;
  readonly autoConsent: boolean;
  readonly signInAs: () => string | null;
  /** Scopes a person does not tick. */
  readonly withheld: (account: GmailAccount) => readonly string[];
}

/** `stumble` fails as planned. An unknown client or redirect is answered with a page: never by a redirect to a stranger. */
export function authorize(
  url: URL,
  deps: AuthorizeDeps,
  stumble: (account: GmailAccount | null) => HttpReply | null,
): HttpReply {
  const query = url.searchParams;
  const client = deps.clients.find(({ id }) => id === query.get('client_id'));
  const redirectUri = query.get('redirect_uri') ?? '';
  if (!client) return page(401, 'Error 401: invalid_client. The OAuth client was not found.');
  if (
    !URL.canParse(redirectUri) ||
    (client.redirectUris.length > 0 && !client.redirectUris.includes(redirectUri))
  )
    return page(400, 'Error 400: redirect_uri_mismatch');
  const asked = (query.get('scope') ?? '').split(' ').filter(Boolean);
  const method = query.get('code_challenge_method') ?? 'plain';
  if (
    query.get('response_type') !== 'code' ||
    asked.length === 0 ||
    (method !== 'S256' && method !== 'plain')
  )
    return page(400, 'Error 400: invalid_request');

  const back = (parameters: Readonly<Record<string, string>>) =>
    redirectBack(redirectUri, query.get('state'), parameters);
  const chosen = query.get('account') ?? query.get('login_hint') ?? deps.signInAs();
  const [first] = deps.accounts.all();
  const account = chosen === null ? first : deps.accounts.find(chosen);
  try {
    const stumbled = stumble(account ?? null);
    if (stumbled) return stumbled;
    if (!deps.autoConsent && !query.has('account'))
      return consentPage(
        url,
        [...deps.accounts.all()].map(({ address }) => address),
      );
    if (!account) return back({ error: 'access_denied' });
    const before = deps.tokens.granted(account, client);
    const withheld = deps.withheld(account);
    const scopes = [
      ...new Set([
        ...asked.filter((scope) => !withheld.includes(scope)),
        ...(query.get('include_granted_scopes') === 'true' ? before : []),
      ]),
    ];
    const value = query.get('code_challenge');
    const code = deps.tokens.issueCode({
      account,
      client,
      scopes,
      redirectUri,
      nonce: query.get('nonce'),
      challenge: value === null ? null : { method, value },
      // Once agreed, Google gives no second refresh token unless it is asked to ask again.
      offline:
        query.get('access_type') === 'offline' &&
        (before.length === 0 || (query.get('prompt') ?? '').includes('consent')),
    });
    return back({ code, scope: scopes.join(' '), authuser: '0', prompt: query.get('prompt') ?? 'none' });
  } catch (error) {
    if (error instanceof SignInFault) return back({ error: error.error });
    throw error;
  }
}
