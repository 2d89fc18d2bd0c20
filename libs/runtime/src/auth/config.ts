/** How callers are recognised, as the environment says. */
import { readFileSync } from 'node:fs';
import type { EnvReader } from '../env.ts';
import { AppError, messageOf } from '../errors.ts';

export interface AuthConfig {
  /** Where an identity provider publishes its keys; null: `key` is the one. */
  readonly jwksUrl: string | null;
  /** See `staticKey`. */
  readonly key: string | null;
  readonly issuer: string;
  readonly audience: string;
  readonly tenantClaim: string;
}

/** Issuer and audience of tokens that are made with this installation's own key. */
export const OWN_NAME = 'mailstream';

/** Throws `config.invalid` when the key's file cannot be read. */
export function readAuthConfig(env: EnvReader): AuthConfig {
  const jwks = env.optional('MAILSTREAM_JWT_JWKS_URL');
  const key = env.optional('MAILSTREAM_JWT_KEY') ?? readKeyFile(env.optional('MAILSTREAM_JWT_KEY_FILE'));
  if ((jwks === null) === (key === null))
    env.problem(
      'callers are recognised by one of MAILSTREAM_JWT_JWKS_URL, MAILSTREAM_JWT_KEY and MAILSTREAM_JWT_KEY_FILE: set one of them',
    );
  if (jwks !== null && !isPrivate(jwks))
    env.problem(
      'MAILSTREAM_JWT_JWKS_URL must be an https address: who can change the keys on the way can call as anybody',
    );
  const own = jwks === null ? OWN_NAME : undefined;
  return {
    jwksUrl: jwks,
    key: key?.trim() ?? null,
    issuer: env.string('MAILSTREAM_JWT_ISSUER', own),
    audience: env.string('MAILSTREAM_JWT_AUDIENCE', own),
    tenantClaim: env.string('MAILSTREAM_JWT_TENANT_CLAIM', 'tenant'),
  };
}

/** Nobody is on the way to this machine itself. */
function isPrivate(url: string): boolean {
  const { protocol, hostname } = URL.parse(url) ?? {};
  return (
    protocol === 'https:' ||
    (protocol === 'http:' && ['localhost', '127.0.0.1', '[::1]'].includes(hostname ?? ''))
  );
}

function readKeyFile(file: string | null): string | null {
  if (file === null) return null;
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new AppError(
      'config.invalid',
      'permanent',
      `MAILSTREAM_JWT_KEY_FILE cannot be read: ${messageOf(cause)}`,
      { cause },
    );
  }
}
