/** All providers. Adding one is one line here and one for its configuration; each loads its own library when it first connects. */
import type { EnvReader } from '@mailstream/runtime';
import { type MicrosoftConfig, readMicrosoftConfig } from './graph/config.ts';
import { createGraphProvider } from './graph/index.ts';
import { imap } from './imap/index.ts';
import type { Provider } from './provider.ts';

/** What providers are told by the environment of the services that use them. */
export interface ProvidersConfig {
  readonly microsoft: MicrosoftConfig;
}

export function readProvidersConfig(env: EnvReader): ProvidersConfig {
  return { microsoft: readMicrosoftConfig(env) };
}

export function createProviders({ microsoft }: ProvidersConfig): readonly Provider[] {
  return [imap, createGraphProvider(microsoft)];
}
