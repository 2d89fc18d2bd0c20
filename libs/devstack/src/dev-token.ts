/** Tokens of a stack on this machine: made with a key that lies beside its data. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { SCOPES } from '@mailstream/contracts';
import { signToken } from '@mailstream/runtime';
import { tokenKeyFile } from './paths.ts';

/** Longer would protect nothing: whoever can read the token can read the key beside it. */
const LIFETIME_MS = 365 * 86_400_000;

/** The file of the key, made when it is missing; only its owner can read it. */
export function ensureTokenKey(dir: string): string {
  const file = tokenKeyFile(dir);
  if (!existsSync(file)) {
    mkdirSync(dir, { recursive: true });
    writeFileSync(file, `${randomBytes(48).toString('base64')}\n`, { mode: 0o600 });
  }
  return file;
}

/** A token for everything in a tenant, for a year. */
export function makeDevToken(keyFile: string, tenant: string): Promise<string> {
  const principal = { tenant, subject: 'developer', scopes: SCOPES };
  return signToken(readFileSync(keyFile, 'utf8'), principal, new Date(Date.now() + LIFETIME_MS));
}
