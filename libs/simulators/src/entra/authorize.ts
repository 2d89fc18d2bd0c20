/** The page where a person signs in and agrees. */
import type { Account, Accounts } from '../graph/accounts.ts';
import type { HttpReply } from '../http/message.ts';
import { consentPage, page, redirectBack } from '../oauth/pages.ts';
import { EntraFault } from './failures.ts';
import type { Tokens } from './tokens.ts';

/** A registered application. */
export interface Client {
  readonly id: string;
  /** Null for a public client. */
  readonly secret: string | null;
  /** Empty: any redirect is fine, which only a simulator may say. */
  readonly redirectUris: readonly string[];
}

export interface AuthorizeDeps {
  readonly accounts: Accounts;
  readonly clients: readonly Client[];
  readonly tokens: Tokens;
  readonly autoConsent: boolean;
  readonly signInAs: () => string | null;
}

/** `stumble` fails as planned. An unknown client or redirect is answered with a page: never by a redirect to a stranger. */
export function authorize(
  url: URL,
  deps: AuthorizeDeps,
  stumble: (account: Account | null) => HttpReply | null,
): HttpReply {
  const query = url.searchParams;
  const client = deps.clients.find(({ id }) => id === query.get('client_id'));
  const redirectUri = query.get('redirect_uri') ?? '';
  if (!client) return page(400, new EntraFault(700016).message);
  if (
    !URL.canParse(redirectUri) ||
    (client.redirectUris.length > 0 && !client.redirectUris.includes(redirectUri))
  )
    return page(400, new EntraFault(50011).message);

  const back = (parameters: Readonly<Record<string, string>>) =>
    redirectBack(redirectUri, query.get('state'), parameters);
  const chosen = query.get('account') ?? query.get('login_hint') ?? deps.signInAs();
  const [first] = deps.accounts.all();
  const account = chosen === null ? first : deps.accounts.find(chosen);
  try {
    if (query.get('response_type') !== 'code') throw new EntraFault(900144);
    const challenge = query.get('code_challenge');
    if (challenge !== null && query.get('code_challenge_method') !== 'S256') throw new EntraFault(900144);
    const stumbled = stumble(account ?? null);
    if (stumbled) return stumbled;
    if (!deps.autoConsent && !query.has('account'))
      return consentPage(
        url,
        [...deps.accounts.all()].map(({ address }) => address),
      );
    if (!account) throw new EntraFault(65004);
    const code = deps.tokens.issueCode({
      account,
      app: client.id,
      scope: query.get('scope') ?? '',
      redirectUri,
      nonce: query.get('nonce'),
      challenge,
    });
    return back({ code, session_state: account.id });
  } catch (error) {
    if (error instanceof EntraFault) return back({ error: error.error, error_description: error.message });
    throw error;
  }
}
