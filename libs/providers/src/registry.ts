/** All providers. Adding one is one line here and one for its configuration; each loads its own library when it first connects. */
import { createReach, type EnvReader, type PrivateHosts, readPrivateHosts } from '@mailstream/runtime';
import { type GoogleConfig, readGoogleConfig } from './gmail/config.ts';
import { createGmailProvider } from './gmail/index.ts';
import { type MicrosoftConfig, readMicrosoftConfig } from './graph/config.ts';
import { createGraphProvider } from './graph/index.ts';
import { createImap } from './imap/index.ts';
import type { Provider } from './provider.ts';

/** What providers are told by the environment of the services that use them. */
export interface ProvidersConfig {
  readonly microsoft: MicrosoftConfig;
  readonly google: GoogleConfig;
  /** For hosts that people name. Where Microsoft and Google are the operator says, and is believed. */
  readonly privateHosts: PrivateHosts;
}

export function readProvidersConfig(env: EnvReader): ProvidersConfig {
  return {
    microsoft: readMicrosoftConfig(env),
    google: readGoogleConfig(env),
    privateHosts: readPrivateHosts(env),
  };
}

/** `now`: milliseconds; of those that reckon with time. */
export function createProviders(
  { microsoft, google, privateHosts }: ProvidersConfig,
  now: () => number = Date.now,
): readonly Provider[] {
  const imap = createImap(createReach(privateHosts));
  return [imap, createGraphProvider(microsoft, { now }), createGmailProvider(google, { now })];
}
