/** What the Microsoft provider is told by its environment: the application it acts as, and where everything is. */
import type { EnvReader } from '@mailstream/runtime';

/** Stands for the directory (tenant) in an address, as in Microsoft's own descriptions of its endpoints. */
const DIRECTORY = '{tenantid}';

export interface MicrosoftConfig {
  /** The application as it is registered with Microsoft; null: accounts cannot be connected by consent. */
  readonly clientId: string | null;
  /** Null for a public client. */
  readonly clientSecret: string | null;
  /** Whose accounts may sign in: `common`, `organizations`, `consumers`, or one directory by id or domain. */
  readonly directory: string;
  /** Each may hold `{tenantid}` where the directory belongs. */
  readonly authorizeUrl: string;
  readonly tokenUrl: string;
  readonly keysUrl: string;
  readonly issuer: string;
  /** What a person is asked to allow, separated by spaces. */
  readonly scopes: string;
  /** What an application that acts for itself asks for. */
  readonly appScope: string;
  /** Milliseconds until a folder's feed knows of what came to it. */
  readonly settleMs: number;
  /** Milliseconds between two comparisons of all ids of a folder. */
  readonly reconcileMs: number;
  /** The Graph API with its version, without a slash at the end. */
  readonly graphUrl: string;
}

export function readMicrosoftConfig(env: EnvReader): MicrosoftConfig {
  const authority = env.url('MS_AUTHORITY', 'https://login.microsoftonline.com/common');
  const graphUrl = env.url('MS_GRAPH_URL', 'https://graph.microsoft.com/v1.0');
  const [directory = 'common'] = new URL(authority).pathname.split('/').slice(1);
  const base = `${new URL(authority).origin}/${DIRECTORY}`;
  return {
    clientId: env.optional('MS_CLIENT_ID'),
    clientSecret: env.optional('MS_CLIENT_SECRET'),
    directory: directory || 'common',
    authorizeUrl: env.url('MS_AUTHORIZE_URL', `${base}/oauth2/v2.0/authorize`),
    tokenUrl: env.url('MS_TOKEN_URL', `${base}/oauth2/v2.0/token`),
    keysUrl: env.url('MS_KEYS_URL', `${base}/discovery/v2.0/keys`),
    issuer: env.url('MS_ISSUER', `${base}/v2.0`),
    scopes: env.string('MS_SCOPES', 'offline_access openid profile email User.Read Mail.Read'),
    appScope: env.string('MS_APP_SCOPE', `${new URL(graphUrl).origin}/.default`),
    graphUrl,
    settleMs: env.integer('MS_SETTLE_SECONDS', 60, { min: 1, max: 3_600 }) * 1_000,
    reconcileMs: env.integer('MS_RECONCILE_SECONDS', 86_400, { min: 1, max: 30 * 86_400 }) * 1_000,
  };
}

/** An address of the configuration for one directory. */
export function inDirectory(url: string, directory: string): string {
  return url.replaceAll(DIRECTORY, encodeURIComponent(directory));
}
