/** Identifiers: time-ordered UUIDs for what is ours, hashed tokens for what is a provider's, and the partition of an account. */
import { hash, randomFillSync } from 'node:crypto';

/** How many partitions the `MAIL` log has. Fixed at install: changing it would re-home every account. */
export const PARTITIONS = 16;

const pool = new Uint8Array(4096);
let used = pool.length;
let lastMs = 0;
let counter = 0;

/**
 * A new UUIDv7 (RFC 9562 section 5.7): 48 bits of Unix milliseconds, a 12-bit counter that keeps ids of one process
 * and one millisecond in order, 62 random bits.
 */
export function uuidv7(nowMs: number = Date.now()): string {
  if (nowMs > lastMs) {
    lastMs = nowMs;
    counter = 0;
  } else if (++counter > 0xfff) {
    lastMs += 1;
    counter = 0;
  }
  if (used + 8 > pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const time = lastMs.toString(16).padStart(12, '0');
  const variant = (((pool[used] ?? 0) & 0x3f) | 0x80).toString(16).padStart(2, '0');
  const random = Buffer.from(pool.buffer, pool.byteOffset + used + 1, 7).toString('hex');
  used += 8;
  return `${time.slice(0, 8)}-${time.slice(8)}-7${counter.toString(16).padStart(3, '0')}-${variant}${random.slice(0, 2)}-${random.slice(2)}`;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** A subject-safe token for a provider's own id (a folder path, a label id): lower-case base32 of 100 bits of its SHA-256. */
export function hashToken(...parts: readonly string[]): string {
  const digest = hash('sha256', parts.join('\u0000'), 'buffer');
  let token = '';
  for (let bit = 0; bit < 100; bit += 5) {
    const pair = ((digest[bit >> 3] ?? 0) << 8) | (digest[(bit >> 3) + 1] ?? 0);
    token += BASE32[(pair >> (11 - (bit & 7))) & 31];
  }
  return token;
}

/** FNV-1a, 32 bits: the hash nats-server's `partition()` mapping uses, so that client and server agree. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(text, 'utf8')) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}

/** The partition of an account's facts, as the two digits that stand in subjects: `00` … `15`. */
export function partitionOf(account: string): string {
  return partitionToken(fnv1a32(account) % PARTITIONS);
}

/** A partition number as its subject token. */
export function partitionToken(partition: number): string {
  return String(partition).padStart(2, '0');
}

const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;

/** Whether a string may stand as one token of a subject: no dots, spaces or wildcards, 1 to 64 characters. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether a string is a UUID of any version: what may be compared with a `uuid` column. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
