/** What the gateway is told of Google's notifications: whose pushes it believes, and what it pulls. */
import type { EnvReader } from '@mailstream/runtime';

export interface GooglePushConfig {
  /** The e-mail of the service account that Pub/Sub pushes as; null: pushes are refused. */
  readonly serviceAccount: string | null;
  /** What its tokens are made out to. */
  readonly audience: string | null;
  readonly keysUrl: string;
  readonly issuer: string;
  /** Null: nothing is pulled. */
  readonly queue: PubSubConfig | null;
}

export interface PubSubConfig {
  /** `projects/P/subscriptions/S`. */
  readonly subscription: string;
  /** The JSON key of the service account that pulls. */
  readonly keyFile: string | null;
  /** The origin of the Pub/Sub API. */
  readonly pubsubUrl: string;
  readonly tokenUrl: string;
}

export function readGooglePushConfig(env: EnvReader, publicUrl: string | null): GooglePushConfig {
  const subscription = env.optional('GOOGLE_PUBSUB_SUBSCRIPTION');
  const own = publicUrl === null ? null : `${publicUrl.replace(/\/+$/, '')}/v1/webhooks/google`;
  return {
    serviceAccount: env.optional('GOOGLE_PUSH_SERVICE_ACCOUNT'),
    audience: env.optional('GOOGLE_PUSH_AUDIENCE') ?? own,
    keysUrl: env.url('GOOGLE_CERTS_URL', 'https://www.googleapis.com/oauth2/v3/certs'),
    issuer: env.url('GOOGLE_ISSUER', 'https://accounts.google.com'),
    queue: subscription === null ? null : readQueue(env, subscription),
  };
}

function readQueue(env: EnvReader, subscription: string): PubSubConfig {
  return {
    subscription,
    keyFile: env.optional('GOOGLE_PUBSUB_KEY_FILE'),
    pubsubUrl: env.url('PUBSUB_BASE_URL', 'https://pubsub.googleapis.com'),
    tokenUrl: env.url('GOOGLE_TOKEN_URL', 'https://oauth2.googleapis.com/token'),
  };
}
