/** All providers by name. Adding one is one line; each loads its own library when it first connects. */
import { imap } from './imap/index.ts';
import type { Provider } from './provider.ts';

const providers: readonly Provider[] = [imap];

export const PROVIDER_NAMES: readonly string[] = providers.map(({ name }) => name);

/** The provider of that name, or undefined. */
export function findProvider(name: string): Provider | undefined {
  return providers.find((provider) => provider.name === name);
}
