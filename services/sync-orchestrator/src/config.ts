/** What the orchestrator is told by its environment. */
import type { TopologyOptions } from '@mailstream/bus';
import { readDatabaseUrls } from '@mailstream/db';
import { readProvidersConfig } from '@mailstream/providers';
import { type Environment, readEnv, readServiceEnv } from '@mailstream/runtime';
import { readKeysConfig } from './credentials/keys-config.ts';
import type { SyncLimits } from './domain/start.ts';

const HOUR = 3_600_000;

/** For accounts that are connected by signing in with their provider. */
export interface ConnectConfig {
  /** Where browsers reach the gateway, without a slash at its end. */
  readonly url: string;
  /** Where browsers may be sent when they are back. */
  readonly returnOrigins: readonly string[];
}

export function readConfig(source?: Environment) {
  const env = readEnv(source);
  const pollSeconds = env.integer('MAILSTREAM_POLL_SECONDS', 60, { min: 1, max: 86_400 });
  const limits: SyncLimits = {
    inFlight: env.integer('MAILSTREAM_SCOPES_IN_FLIGHT', 4, { min: 2, max: 100 }),
    pollMs: pollSeconds * 1_000,
    deepPollMs: env.integer('MAILSTREAM_DEEP_POLL_SECONDS', 15 * 60, { min: 1, max: 7 * 86_400 }) * 1_000,
    lostMs: HOUR / 4,
    backPressureMs: 1_000,
  };
  const mailDays = env.integer('MAILSTREAM_MAIL_DAYS', 0, { min: 0, max: 36_500 });
  const topology: TopologyOptions = {
    replicas: env.integer('MAILSTREAM_STREAM_REPLICAS', 1, { min: 1, max: 5 }),
    ...(mailDays > 0 && { mailMaxAgeMs: mailDays * 24 * HOUR }),
    changesMaxAgeMs: env.integer('MAILSTREAM_CHANGES_DAYS', 30, { min: 1, max: 3_650 }) * 24 * HOUR,
  };
  const publicUrl = env.optional('MAILSTREAM_PUBLIC_URL');
  const connect: ConnectConfig = {
    url: env.url('MAILSTREAM_CONNECT_URL', publicUrl ?? 'http://localhost:8080'),
    returnOrigins: env.origins('MAILSTREAM_RETURN_ORIGINS'),
  };
  const providers = readProvidersConfig(env);
  const config = {
    ...readServiceEnv(env, 8081),
    database: readDatabaseUrls(env),
    keys: readKeysConfig(env),
    topology,
    maxLag: env.integer('MAILSTREAM_MAX_LAG', 20_000, { min: 1, max: 10_000_000 }),
    providers,
    privateHosts: providers.privateHosts,
    publicUrl,
    connect,
    sweepMs: 30_000,
    auditDays: env.integer('MAILSTREAM_AUDIT_DAYS', 400, { min: 30, max: 36_500 }),
    limits,
  };
  env.check();
  return config;
}

export type Config = ReturnType<typeof readConfig>;
