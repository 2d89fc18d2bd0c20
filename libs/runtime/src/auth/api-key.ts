/** API keys as they are written: `ms_<prefix>_<secret><checksum>`, all hexadecimal. */
import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

const FORM = /^(ms_([0-9a-f]{12})_[0-9a-f]{64})([0-9a-f]{8})$/;

export interface ApiKeyText {
  /** The whole key: shown once, to whoever asked for it. */
  readonly text: string;
  /** Names the key; no secret. */
  readonly prefix: string;
  /** What is stored of it. SHA-256 is enough: 256 random bits cannot be guessed, however fast the hash is. */
  readonly digest: string;
}

export function newApiKey(): ApiKeyText {
  const prefix = randomBytes(6).toString('hex');
  const body = `ms_${prefix}_${randomBytes(32).toString('hex')}`;
  const text = body + checksum(body);
  return { text, prefix, digest: hash('sha256', text) };
}

/** Null for what cannot be one of ours. The checksum tells a typing error without asking anybody, and scanners of leaked secrets a find. */
export function parseApiKey(text: string): ApiKeyText | null {
  const [, body = '', prefix = '', sum] = FORM.exec(text) ?? [];
  return sum !== undefined && checksum(body) === sum ? { text, prefix, digest: hash('sha256', text) } : null;
}

function checksum(body: string): string {
  return crc32(body).toString(16).padStart(8, '0');
}
