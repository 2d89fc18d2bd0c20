/** What the orchestrator needs to know of providers: their names, and whether settings and credentials have the right shape. */
import type { OAuth, Provider } from '@mailstream/providers';
import { AppError, firstProblem } from '@mailstream/runtime';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';
import Value from 'typebox/value';

export interface KnownProvider {
  readonly push: 'webhook' | 'idle' | 'none';
  /** Accounts for whose settings this is the same have one subscription together; null: it has its own. */
  sharedSubscription(settings: unknown): string | null;
  /** Null: its accounts are connected by giving a credential. */
  readonly oauth: OAuth | null;
  /** Of accounts created by request. Throws `account.invalid` naming the first field that is wrong. */
  checkSettings(settings: unknown): void;
  checkCredential(credential: unknown): void;
  /** Whose mailbox an account created by request is; null where nobody can say, or with other settings. */
  ownerOf(settings: unknown): string | null;
  /** A name for people, from valid settings. */
  describe(settings: unknown): string;
}

export interface ProviderCatalog {
  /** Throws `account.provider` for a name that is not known. */
  get(name: string): KnownProvider;
}

export function createProviderCatalog(providers: readonly Provider[]): ProviderCatalog {
  const known = new Map<string, KnownProvider>(
    providers.map((provider) => [
      provider.name,
      {
        push: provider.push,
        sharedSubscription: (settings) => provider.sharedSubscription?.(settings) ?? null,
        oauth: provider.oauth ?? null,
        checkSettings: checker('settings', provider.oauth?.unattended.settings ?? provider.settings),
        checkCredential: checker('credential', provider.oauth?.unattended.credential ?? provider.credential),
        ownerOf: (settings) => ownerOf(provider, settings),
        describe: provider.describe,
      },
    ]),
  );
  return {
    get(name) {
      const provider = known.get(name);
      if (provider) return provider;
      const names = [...known.keys()].join(', ');
      throw new AppError(
        'account.provider',
        'invalid',
        `there is no provider ${JSON.stringify(name)}; known: ${names}`,
      );
    },
  };
}

function ownerOf({ oauth }: Provider, settings: unknown): string | null {
  return oauth && Value.Check(oauth.unattended.settings, settings) ? oauth.unattended.owner(settings) : null;
}

/** Never repeats the value: a credential must not come back in an error. */
function checker(what: string, schema: TSchema): (value: unknown) => void {
  const validator = Compile(schema);
  return (value) => {
    if (!validator.Check(value))
      throw new AppError('account.invalid', 'invalid', firstProblem(validator.Errors(value), `body/${what}`));
  };
}
