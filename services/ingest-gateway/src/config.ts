/** What the gateway is told by its environment. */
import { readNotificationsConfig } from '@mailstream/providers/webhooks';
import { readEnv, readServiceEnv } from '@mailstream/runtime';

/** Base URLs of the services behind the gateway, without a path. */
export interface Upstreams {
  readonly orchestrator: string;
  readonly projector: string;
}

export function readConfig() {
  const env = readEnv();
  const upstreams: Upstreams = {
    orchestrator: env.string('MAILSTREAM_ORCHESTRATOR_URL', 'http://127.0.0.1:8081'),
    projector: env.string('MAILSTREAM_PROJECTOR_URL', 'http://127.0.0.1:8083'),
  };
  const notificationsConfig = readNotificationsConfig(env, env.optional('MAILSTREAM_PUBLIC_URL'));
  const trustedProxies = (env.optional('MAILSTREAM_TRUSTED_PROXIES') ?? '').split(/[\s,]+/).filter(Boolean);
  const config = { ...readServiceEnv(env, 8080), upstreams, notificationsConfig, trustedProxies };
  env.check();
  return config;
}
