/** What the gateway is told by its environment. */
import { readNotificationsConfig } from '@mailstream/providers/webhooks';
import { type Environment, type HttpDeps, readEnv, readServiceEnv } from '@mailstream/runtime';
import type { AdmissionLimits } from './admission.ts';

/** Base URLs of the services behind the gateway, without a path. */
export interface Upstreams {
  readonly orchestrator: string;
  readonly projector: string;
}

/** Who may come in, and how much of it. */
export interface DoorConfig
  extends Pick<HttpDeps, 'bodyLimit' | 'trustedProxies' | 'corsOrigins' | 'httpsOnly' | 'maxConnections'> {
  readonly limits: AdmissionLimits;
  /** A file or an address with the networks that notifications may come from; null: from anywhere. */
  readonly webhookSources?: string | null;
}

export function readConfig(source?: Environment) {
  const env = readEnv(source);
  const upstreams: Upstreams = {
    orchestrator: env.string('MAILSTREAM_ORCHESTRATOR_URL', 'http://127.0.0.1:8081'),
    projector: env.string('MAILSTREAM_PROJECTOR_URL', 'http://127.0.0.1:8083'),
  };
  const notificationsConfig = readNotificationsConfig(env, env.optional('MAILSTREAM_PUBLIC_URL'));
  const door: DoorConfig = {
    limits: {
      perCaller: env.integer('MAILSTREAM_CALLS_PER_MINUTE', 3_000, { min: 1, max: 100_000_000 }),
      perAddress: env.integer('MAILSTREAM_UNKNOWN_CALLS_PER_MINUTE', 300, { min: 1, max: 100_000_000 }),
    },
    bodyLimit: env.integer('MAILSTREAM_BODY_BYTES', 1_048_576, { min: 1_024, max: 16_777_216 }),
    trustedProxies: env.networks('MAILSTREAM_TRUSTED_PROXIES'),
    corsOrigins: env.origins('MAILSTREAM_CORS_ORIGINS'),
    httpsOnly: env.choice('MAILSTREAM_HTTPS_ONLY', 'no', ['yes', 'no']) === 'yes',
    maxConnections: env.integer('MAILSTREAM_CONNECTIONS', 10_000, { min: 10, max: 1_000_000 }),
    webhookSources: env.optional('MAILSTREAM_WEBHOOK_SOURCES'),
  };
  const config = { ...readServiceEnv(env, 8080), upstreams, notificationsConfig, door };
  env.check();
  return config;
}
