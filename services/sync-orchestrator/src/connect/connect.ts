/** Connecting an account by signing in with its provider: out to the provider's page, and back with what was agreed to. */
import type { Account } from '@mailstream/contracts';
import type { Tenants } from '@mailstream/db';
import type { OAuth } from '@mailstream/providers';
import { AppError } from '@mailstream/runtime';
import type { Accounts } from '../accounts/accounts.ts';
import type { ProviderCatalog } from '../accounts/provider-catalog.ts';
import { type Caller, recordDeed } from '../audit/trail.ts';
import type { ConnectConfig } from '../config.ts';
import type { Consents } from './consents.ts';

export interface ConnectDeps {
  readonly tenants: Tenants;
  readonly accounts: Accounts;
  readonly consents: Consents;
  readonly providers: ProviderCatalog;
  readonly config: ConnectConfig;
}

export interface Connect {
  /** Where to send the browser. Throws `connect.unsupported`, `connect.return_to`, `connect.other_provider`, `account.unknown`. */
  begin(
    by: Caller,
    provider: string,
    wishes: { readonly account: string | null; readonly returnTo: string | null },
  ): Promise<string>;
  /** The browser is back, from `place`. Throws what `Consents.take`, `OAuth.redeem` and `Accounts.adopt` throw. */
  finish(
    provider: string,
    parameters: URLSearchParams,
    place: Pick<Caller, 'ip' | 'requestId'>,
  ): Promise<{ readonly account: Account; readonly returnTo: string | null }>;
}

export function createConnect({ tenants, accounts, consents, providers, config }: ConnectDeps): Connect {
  const redirectUri = (provider: string) => `${config.url}/v1/connect/${provider}/callback`;

  function oauthOf(provider: string): OAuth {
    const { oauth } = providers.get(provider);
    if (oauth) return oauth;
    throw new AppError(
      'connect.unsupported',
      'invalid',
      `accounts of ${provider} are not connected by signing in: POST /v1/accounts with their credential`,
    );
  }

  return {
    async begin(by, provider, { account, returnTo }) {
      const { tenant, actor } = by;
      const oauth = oauthOf(provider);
      if (returnTo !== null) checkReturn(returnTo, config.returnOrigins);
      const known = account === null ? null : await accounts.get({ tenant, account });
      if (known && known.provider !== provider) throw otherProvider(known, provider);
      const secrets = await consents.begin({ tenant, actor, provider, account, returnTo });
      await recordDeed(tenants.of(tenant), by, {
        action: 'sign_in.begun',
        ...(account !== null && { account }),
        detail: { provider },
      });
      return oauth.consentUrl({
        ...secrets,
        redirectUri: redirectUri(provider),
        settings: known?.settings ?? null,
      });
    },

    async finish(provider, parameters, place) {
      const { tenant, actor, account, returnTo, nonce, verifier, ...begun } = await consents.take(
        parameters.get('state') ?? '',
      );
      if (begun.provider !== provider)
        throw new AppError(
          'connect.other_provider',
          'invalid',
          `this sign-in was started for ${begun.provider}, not for ${provider}: start again from the beginning`,
        );
      const consented = await oauthOf(provider).redeem({
        parameters,
        redirectUri: redirectUri(provider),
        nonce,
        verifier,
      });
      return {
        account: await accounts.adopt({ tenant, actor, ...place }, provider, consented, account),
        returnTo,
      };
    },
  };
}

function checkReturn(url: string, origins: readonly string[]): void {
  const origin = URL.parse(url)?.origin;
  if (origin !== undefined && origins.includes(origin)) return;
  throw new AppError(
    'connect.return_to',
    'invalid',
    'querystring/return_to must be an address of one of the origins in MAILSTREAM_RETURN_ORIGINS',
  );
}

function otherProvider({ name, provider }: Account, asked: string): AppError {
  return new AppError(
    'connect.other_provider',
    'invalid',
    `"${name}" is an account of ${provider}, not of ${asked}`,
  );
}
