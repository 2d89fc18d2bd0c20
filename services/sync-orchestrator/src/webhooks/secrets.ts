/** Secrets of webhook endpoints, and signatures with them: Standard Webhooks 1.0.0 (https://www.standardwebhooks.com), symmetric scheme. */
import { createHmac, randomBytes } from 'node:crypto';

/** As they are sealed: the newest first. */
export interface EndpointSecret {
  /** `whsec_` and Base64. */
  readonly secret: string;
  /** Until when it signs, Unix milliseconds; null: until it is replaced. */
  readonly until: number | null;
}

const PREFIX = 'whsec_';
const BYTES = 32;

export function newSecret(): string {
  return PREFIX + randomBytes(BYTES).toString('base64');
}

/** A new secret before the current one, which signs until `until` too; those before it no longer do. */
export function rotated(secrets: readonly EndpointSecret[], until: number): EndpointSecret[] {
  const fresh = { secret: newSecret(), until: null };
  return [fresh, ...secrets.slice(0, 1).map(({ secret }) => ({ secret, until }))];
}

export interface Signed {
  readonly 'webhook-id': string;
  /** Unix seconds of this attempt: receivers refuse old ones. */
  readonly 'webhook-timestamp': string;
  /** One signature per secret that signs now, with spaces between them. */
  readonly 'webhook-signature': string;
}

/** `now` in Unix milliseconds. */
export function sign(secrets: readonly EndpointSecret[], id: string, body: Uint8Array, now: number): Signed {
  const timestamp = String(Math.floor(now / 1_000));
  const signatures = secrets
    .filter(({ until }) => until === null || until > now)
    .map(({ secret }) => {
      const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
      return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64')}`;
    });
  return {
    'webhook-id': id,
    'webhook-timestamp': timestamp,
    'webhook-signature': signatures.join(' '),
  };
}

/** As they were sealed. Throws `TypeError` for anything else. */
export function secretsIn(value: unknown): EndpointSecret[] {
  if (!Array.isArray(value)) throw new TypeError('sealed secrets are a list');
  return value.flatMap((one: unknown) => (isSecret(one) ? [one] : []));
}

function isSecret(value: unknown): value is EndpointSecret {
  return (
    typeof value === 'object' &&
    value !== null &&
    'secret' in value &&
    typeof value.secret === 'string' &&
    'until' in value
  );
}
