/** The logins of an installation that was given the owner's URL only: the roles themselves, with passwords that follow from the owner's. */
import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { AppError } from '@mailstream/runtime';
import pg from 'pg';
import { connected } from './connected.ts';
import { DbError, NOT_ALLOWED } from './errors.ts';
import type { RoleName } from './roles.ts';

/** The URL of a role. The owner's must have a password. */
export function loginUrl(ownerUrl: string, role: RoleName): string {
  const url = new URL(ownerUrl);
  const key = decodeURIComponent(url.password);
  url.username = role;
  url.password = createHmac('sha256', key).update(role).digest('base64url');
  return url.href;
}

/** Lets a role of `loginUrl` log in, unless it can already. It must be there. Throws `config.database_role` when the owner may not. */
export async function ensureLogin(ownerUrl: string, url: string): Promise<void> {
  if (await canLogIn(url)) return;
  const { username, password } = new URL(url);
  const change = `ALTER ROLE ${pg.escapeIdentifier(username)} LOGIN PASSWORD '${verifier(password)}'`;
  try {
    await connected(ownerUrl, 'logins', (owner) => owner.query(change));
  } catch (error) {
    // Of two that change a role at once one fails.
    if (await canLogIn(url)) return;
    if (!isRefusal(error, NOT_ALLOWED)) throw error;
    throw new AppError(
      'config.database_role',
      'permanent',
      `DATABASE_URL may not let ${username} log in: give the services logins of their own (README, "The database")`,
      { cause: error },
    );
  }
}

/** SQLSTATEs of a login that is not there, may not log in, or has another password. */
const REFUSED = ['28000', '28P01'];

async function canLogIn(url: string): Promise<boolean> {
  try {
    return await connected(url, 'logins', async () => true);
  } catch (error) {
    if (isRefusal(error, ...REFUSED)) return false;
    throw error;
  }
}

function isRefusal(error: unknown, ...states: readonly string[]): boolean {
  return error instanceof DbError && states.includes(error.sqlState ?? '');
}

const ITERATIONS = 4096;

/** What PostgreSQL keeps of a password (RFC 5803): sent in its place, because servers log statements. */
function verifier(password: string): string {
  const salt = randomBytes(16);
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyFor = (what: string) => createHmac('sha256', salted).update(what).digest();
  const stored = createHash('sha256').update(keyFor('Client Key')).digest('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${keyFor('Server Key').toString('base64')}`;
}
