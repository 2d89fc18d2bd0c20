/** What the fetcher is told by its environment. */
import { readProvidersConfig } from '@mailstream/providers';
import { type Environment, readEnv, readServiceEnv } from '@mailstream/runtime';

export function readConfig(source?: Environment) {
  const env = readEnv(source);
  const config = {
    ...readServiceEnv(env, 8082),
    concurrency: {
      live: env.integer('MAILSTREAM_LIVE_JOBS', 16, { min: 1, max: 1_000 }),
      backfill: env.integer('MAILSTREAM_BACKFILL_JOBS', 4, { min: 1, max: 1_000 }),
    },
    watches: env.integer('MAILSTREAM_WATCHES', 5_000, { min: 0, max: 100_000 }),
    providers: readProvidersConfig(env),
    sessionIdleMs: 60_000,
  };
  env.check();
  return config;
}
