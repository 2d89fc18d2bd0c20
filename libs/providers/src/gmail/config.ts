/** What the Gmail provider is told by its environment: the application it acts as, where everything is, and what it may spend. */
import type { EnvReader } from '@mailstream/runtime';
import { type QuotaProfile, readQuotaProfile } from './quota.ts';

export interface GoogleConfig {
  /** The OAuth client as it is registered with Google; null: accounts cannot be connected by consent. */
  readonly clientId: string | null;
  readonly clientSecret: string | null;
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly keysUrl: string;
  readonly issuer: string;
  /** What a person is asked to allow, separated by spaces. */
  readonly scopes: string;
  /** The JSON key of a service account that may read the mailboxes of a whole domain; null: there is none. */
  readonly serviceAccountFile: string | null;
  /** What such an account asks for. */
  readonly appScope: string;
  /** Where Gmail is to publish that something happened, `projects/P/topics/T`; null: nowhere. */
  readonly topic: string | null;
  /** The origin of the Gmail API. */
  readonly gmailUrl: string;
  readonly quota: QuotaProfile;
}

export function readGoogleConfig(env: EnvReader): GoogleConfig {
  return {
    clientId: env.optional('GOOGLE_CLIENT_ID'),
    clientSecret: env.optional('GOOGLE_CLIENT_SECRET'),
    authorizeUrl: env.url('GOOGLE_AUTHORIZE_URL', 'https://accounts.google.com/o/oauth2/v2/auth'),
    tokenUrl: env.url('GOOGLE_TOKEN_URL', 'https://oauth2.googleapis.com/token'),
    keysUrl: env.url('GOOGLE_CERTS_URL', 'https://www.googleapis.com/oauth2/v3/certs'),
    issuer: env.url('GOOGLE_ISSUER', 'https://accounts.google.com'),
    scopes: env.string('GOOGLE_SCOPES', 'openid email https://www.googleapis.com/auth/gmail.readonly'),
    serviceAccountFile: env.optional('GOOGLE_SERVICE_ACCOUNT_FILE'),
    appScope: env.string('GOOGLE_APP_SCOPE', 'https://www.googleapis.com/auth/gmail.readonly'),
    topic: env.optional('GOOGLE_PUBSUB_TOPIC'),
    gmailUrl: env.url('GMAIL_BASE_URL', 'https://gmail.googleapis.com'),
    quota: readQuotaProfile(env),
  };
}
