/** What the orchestrator needs to know of providers: their names, and whether settings and credentials have the right shape. */
import type { Provider } from '@mailstream/providers';
import { AppError, firstProblem } from '@mailstream/runtime';
import type { TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

export interface KnownProvider {
  readonly push: 'webhook' | 'idle' | 'none';
  /** Throws `account.invalid` naming the first field that is wrong. */
  checkSettings(settings: unknown): void;
  checkCredential(credential: unknown): void;
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
        checkSettings: checker('settings', provider.settings),
        checkCredential: checker('credential', provider.credential),
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

/** Never repeats the value: a credential must not come back in an error. */
function checker(what: string, schema: TSchema): (value: unknown) => void {
  const validator = Compile(schema);
  return (value) => {
    if (!validator.Check(value))
      throw new AppError('account.invalid', 'invalid', firstProblem(validator.Errors(value), `body/${what}`));
  };
}
