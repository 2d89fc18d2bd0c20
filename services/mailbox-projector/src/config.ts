/** What the projector is told by its environment. */
import { readEnv, readServiceEnv } from '@mailstream/runtime';

export function readConfig() {
  const env = readEnv();
  const config = {
    ...readServiceEnv(env, 8083),
    databaseUrl: env.string('DATABASE_URL'),
    replicas: env.integer('MAILSTREAM_STREAM_REPLICAS', 1, { min: 1, max: 5 }),
  };
  env.check();
  return config;
}
