/** Tokens of a stack on this machine: made with a key that lies beside its data. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SCOPES } from '@mailstream/contracts';
import { DEFAULT_TENANT, signToken } from '@mailstream/runtime';

/** Longer would protect nothing: whoever can read the token can read the key beside it. */
const LIFETIME_MS = 365 * 86_400_000;

/** The file of the key, made when it is missing; only its owner can read it. */
export function ensureTokenKey(dir: string): string {
  const file = join(dir, 'token.key');
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, `${randomBytes(48).toString('base64')}\n`, { mode: 0o600 });
  }
  return file;
}

/** A token for everything in the default tenant, for a year. */
export function makeDevToken(keyFile: string): Promise<string> {
  const principal = { tenant: DEFAULT_TENANT, subject: 'developer', scopes: SCOPES };
  return signToken(readFileSync(keyFile, 'utf8'), principal, new Date(Date.now() + LIFETIME_MS));
}
