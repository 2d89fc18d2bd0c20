/** What every service reads from its environment. */
import { type AuthConfig, readAuthConfig } from './auth/config.ts';
import type { EnvReader } from './env.ts';

/** Where NATS is, and who we are there. */
export interface NatsEnv {
  readonly url: string;
  readonly nkeySeed?: string;
  readonly caFile?: string;
}

/** Where NATS is, where to listen, and how callers are recognised. */
export interface ServiceEnv {
  readonly nats: NatsEnv;
  readonly http: { readonly host: string; readonly port: number };
  readonly auth: AuthConfig;
}

export function readServiceEnv(env: EnvReader, defaultPort: number): ServiceEnv {
  return {
    nats: readNatsEnv(env),
    http: {
      host: env.string('MAILSTREAM_HTTP_HOST', '127.0.0.1'),
      port: env.integer('MAILSTREAM_HTTP_PORT', defaultPort, { min: 0, max: 65_535 }),
    },
    auth: readAuthConfig(env),
  };
}

export function readNatsEnv(env: EnvReader): NatsEnv {
  const nkeySeed = env.optional('NATS_NKEY_SEED') ?? env.file('NATS_NKEY_SEED_FILE');
  const caFile = env.optional('NATS_CA_FILE');
  return {
    url: env.string('NATS_URL'),
    ...(nkeySeed !== null && { nkeySeed }),
    ...(caFile !== null && { caFile }),
  };
}
