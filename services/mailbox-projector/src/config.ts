/** What the projector is told by its environment. */
import { readDatabaseUrls } from '@mailstream/db';
import { type Environment, readEnv, readServiceEnv } from '@mailstream/runtime';

export function readConfig(source?: Environment) {
  const env = readEnv(source);
  const config = {
    ...readServiceEnv(env, 8083),
    database: readDatabaseUrls(env),
    readers: {
      all: env.integer('MAILSTREAM_CHANGE_READERS', 10_000, { min: 1, max: 1_000_000 }),
      perTenant: env.integer('MAILSTREAM_CHANGE_READERS_PER_TENANT', 2_000, { min: 1, max: 1_000_000 }),
    },
  };
  env.check();
  return config;
}
