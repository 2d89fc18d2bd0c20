/** What every service reads from its environment. */
import { type AuthConfig, readAuthConfig } from './auth/config.ts';
import type { EnvReader } from './env.ts';

/** Where NATS is, where to listen, and how callers are recognised. */
export interface ServiceEnv {
  readonly natsUrl: string;
  readonly http: { readonly host: string; readonly port: number };
  readonly auth: AuthConfig;
}

export function readServiceEnv(env: EnvReader, defaultPort: number): ServiceEnv {
  return {
    natsUrl: env.string('NATS_URL'),
    http: {
      host: env.string('MAILSTREAM_HTTP_HOST', '127.0.0.1'),
      port: env.integer('MAILSTREAM_HTTP_PORT', defaultPort, { min: 0, max: 65_535 }),
    },
    auth: readAuthConfig(env),
  };
}
