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
    for (const statement of await missing(owner)) await make(owner, statement);
  } catch (cause) {
    if (!isSqlState(cause, NOT_ALLOWED)) throw cause;
    const statements = (await missing(owner)).map((statement) => `${statement};`).join(' ');
    throw new AppError(
      'config.database_role',
      'permanent',
      `the owner of the tables may not make the roles it needs: have an administrator run ${statements} and see README, "The database", for the logins of the services`,
      { cause },
    );
  } finally {
    await owner.query(`SELECT pg_advisory_unlock(${LOCK})`);
  }
}

const LOCK = "hashtextextended('mailstream roles', 0)";
const DUPLICATE_OBJECT = '42710';
const UNIQUE_VIOLATION = '23505';

const STANDING = `
SELECT quote_ident(current_user) AS name, ARRAY (SELECT rolname::text FROM pg_roles WHERE rolname = ANY ($1)) AS roles,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
         OR EXISTS (SELECT FROM pg_roles WHERE rolname = 'mailstream_service' AND pg_has_role(oid, 'USAGE')) AS works`;

/** The statements that are still to be run. Whoever makes a role may give it away, and is no member yet. */
async function missing(owner: pg.Client): Promise<string[]> {
  const { rows } = await owner.query<{ name: string; roles: string[]; works: boolean }>(STANDING, [ROLES]);
  return rows.flatMap(({ name, roles, works }) => [
    ...ROLES.filter((role) => !roles.includes(role)).map((role) => `CREATE ROLE ${role}`),
    ...(works ? [] : [`GRANT mailstream_service TO ${name} WITH INHERIT TRUE`]),
  ]);
}

async function make(owner: pg.Client, statement: string): Promise<void> {
  await owner.query(statement).catch((error: unknown) => {
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
