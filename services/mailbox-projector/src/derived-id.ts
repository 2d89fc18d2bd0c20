/** Ids that come from the log alone, so that replaying it gives the same ones: UUIDv8 (RFC 9562 section 5.8). */
import { hash } from 'node:crypto';

/**
 * A UUIDv8 named by `parts`: 48 bits of `timeMs`, so that rows of one time lie together as with UUIDv7, then 74 bits of SHA-256.
 * The same input gives the same id, for ever.
 */
export function derivedId(timeMs: number, ...parts: readonly string[]): string {
  const time = timeMs.toString(16).padStart(12, '0');
  return uuid(time, hash('sha256', parts.join('\u0000'), 'hex'));
}

/** A UUIDv8 that is nothing but a digest of `parts`: 122 bits, for looking up what has no time. */
export function digestId(...parts: readonly string[]): string {
  const digest = hash('sha256', parts.join('\u0000'), 'hex');
  return uuid(digest.slice(32, 44), digest);
}

function uuid(head: string, digest: string): string {
  const variant = '89ab'[Number.parseInt(digest.slice(3, 4), 16) & 3];
  return `${head.slice(0, 8)}-${head.slice(8)}-8${digest.slice(0, 3)}-${variant}${digest.slice(4, 7)}-${digest.slice(7, 19)}`;
}
