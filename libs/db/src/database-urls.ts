/** Which logins the environment names: one that owns everything, or one for each purpose. */
import type { EnvReader } from '@mailstream/runtime';
import { loginUrl } from './logins.ts';

export interface DatabaseUrls {
  /** Makes and owns the tables. Null: who starts a service does not, `mailstream migrate` did. */
  readonly owner: string | null;
  /** Works for all tenants. */
  readonly service: string;
  /** Works for the tenant it is bound to. */
  readonly api: string;
  /** Whether the logins are made here, too. */
  readonly derived: boolean;
}

/** `DATABASE_URL` alone is the owner's; beside `API_DATABASE_URL` it is the service's, and the owner's may be in `MIGRATION_DATABASE_URL`. */
export function readDatabaseUrls(env: EnvReader): DatabaseUrls {
  const url = env.string('DATABASE_URL');
  const api = env.optional('API_DATABASE_URL');
  const owner = env.optional('MIGRATION_DATABASE_URL');
  if (api !== null) return { owner, service: url, api, derived: false };
  if (owner !== null) env.problem('MIGRATION_DATABASE_URL is set and API_DATABASE_URL is not');
  if (URL.canParse(url) && new URL(url).password !== '') return databaseUrlsOf(url);
  if (url !== '')
    env.problem(
      'DATABASE_URL is no URL with a password, from which those of the other logins follow: set API_DATABASE_URL too',
    );
  return { owner: url, service: url, api: url, derived: false };
}

/** What follows from the owner's. */
export function databaseUrlsOf(ownerUrl: string): DatabaseUrls {
  return {
    owner: ownerUrl,
    service: loginUrl(ownerUrl, 'mailstream_service'),
    api: loginUrl(ownerUrl, 'mailstream_api'),
    derived: true,
  };
}
