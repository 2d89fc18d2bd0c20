/** The two roles that work with the tables, and what logins of theirs must not be able to do. */
import { AppError } from '@mailstream/runtime';
import pg from 'pg';
import { NOT_ALLOWED } from './errors.ts';
import type { Sql } from './port.ts';

/** `mailstream_service` works for all tenants; `mailstream_api` for the one its transaction is bound to. Logins are these roles or members of one. */
export type RoleName = 'mailstream_service' | 'mailstream_api';

const ROLES: readonly RoleName[] = ['mailstream_service', 'mailstream_api'];

/**
 * Makes the roles if they are missing. The owner of the tables becomes a member of the first: its migrations and functions are subject to
 * row-level security like anybody. Throws `config.database_role` when it may not.
 */
export async function ensureRoles(owner: pg.Client): Promise<void> {
  // For two that start at once.
  await owner.query(`SELECT pg_advisory_lock(${LOCK})`);
  try {
    for (const role of ROLES) await createRole(owner, role);
    const { rows } = await owner.query<{ works: boolean }>(
      "SELECT pg_has_role('mailstream_service', 'USAGE') AS works",
    );
    if (!rows[0]?.works) await owner.query('GRANT mailstream_service TO CURRENT_USER WITH INHERIT TRUE');
  } catch (cause) {
    if (!isSqlState(cause, NOT_ALLOWED)) throw cause;
    throw new AppError(
      'config.database_role',
      'permanent',
      'the owner of the tables may not make roles: have an administrator run CREATE ROLE mailstream_service; CREATE ROLE mailstream_api; GRANT mailstream_service TO <owner> WITH INHERIT TRUE',
      { cause },
    );
  } finally {
    await owner.query(`SELECT pg_advisory_unlock(${LOCK})`);
  }
}

const LOCK = "hashtextextended('mailstream roles', 0)";
const DUPLICATE_OBJECT = '42710';
const UNIQUE_VIOLATION = '23505';

async function createRole(owner: pg.Client, role: RoleName): Promise<void> {
  const { rowCount } = await owner.query('SELECT FROM pg_roles WHERE rolname = $1', [role]);
  if (rowCount !== 0) return;
  await owner.query(`CREATE ROLE ${role}`).catch((error: unknown) => {
    // Roles are of the whole server: somebody in another database was faster.
    if (!isSqlState(error, DUPLICATE_OBJECT, UNIQUE_VIOLATION)) throw error;
  });
}

interface Power {
  readonly login: string;
  readonly bypasses: boolean;
  readonly owns: boolean;
  readonly isMember: boolean;
  readonly isService: boolean;
}

const POWER = `
SELECT current_user AS login, rolsuper OR rolbypassrls AS bypasses,
       EXISTS (SELECT FROM pg_namespace WHERE nspname = ANY ($2) AND pg_has_role(nspowner, 'MEMBER'))
         OR EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
                     WHERE nspname = ANY ($2) AND relkind IN ('r', 'p') AND pg_has_role(relowner, 'MEMBER')) AS owns,
       pg_has_role($1, 'USAGE') AS "isMember", pg_has_role('mailstream_service', 'MEMBER') AS "isService"
  FROM pg_roles WHERE rolname = current_user`;

/** Throws `config.database_role` unless the login can do what its role is for, and nothing beyond. `setting` is the one that names it. */
export async function requireRole(
  sql: Sql,
  { role, setting, schemas }: { role: RoleName; setting: string; schemas: readonly string[] },
): Promise<void> {
  const [power] = await sql.query<Power>(POWER, [role, schemas]);
  const fault = power && faultOf(power, role);
  if (fault)
    throw new AppError(
      'config.database_role',
      'permanent',
      `${setting} logs in as ${power.login}, which ${fault}: make it an ordinary login with GRANT ${role} TO ${power.login}, and name the owner of the tables in MIGRATION_DATABASE_URL only`,
    );
}

function faultOf({ bypasses, owns, isMember, isService }: Power, role: RoleName): string | null {
  if (bypasses) return 'is not bound by row-level security';
  if (owns) return 'owns the tables';
  if (role === 'mailstream_api' && isService) return 'is a member of mailstream_service too';
  return isMember ? null : `is no member of ${role}`;
}

function isSqlState(error: unknown, ...states: readonly string[]): boolean {
  return error instanceof pg.DatabaseError && states.includes(error.code ?? '');
}
