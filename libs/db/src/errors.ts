/** Database faults, classified: whether trying again helps, or what was written is to blame. */
import { AppError } from '@mailstream/runtime';
import pg from 'pg';

/**
 * `transient`: the connection or the server failed, or two transactions collided; the same work may succeed later.
 * `data`: the values were refused (SQLSTATE classes 22 and 23, or too long for an index); the same work fails again.
 * `other`: the statement or the set-up is wrong.
 */
export type DbErrorKind = 'transient' | 'data' | 'other';

const CLASS_OF = { transient: 'network', data: 'parse', other: 'permanent' } as const;

/** A statement or a connection failed; the transaction it was in did not happen, unless it was its COMMIT that got no answer. */
export class DbError extends AppError {
  override readonly name = 'DbError';
  readonly kind: DbErrorKind;
  /** PostgreSQL's five characters (its manual, appendix A); null when the server did not answer. */
  readonly sqlState: string | null;

  constructor(
    kind: DbErrorKind,
    sqlState: string | null,
    message: string,
    options: { cause?: unknown } = {},
  ) {
    super(`db.${kind}`, CLASS_OF[kind], message, options);
    this.kind = kind;
    this.sqlState = sqlState;
  }
}

/** Whether trying again later may help. */
export function isTransient(error: unknown): error is DbError {
  return error instanceof DbError && error.kind === 'transient';
}

/** Whether the values are to blame. */
export function isDataError(error: unknown): error is DbError {
  return error instanceof DbError && error.kind === 'data';
}

/** SQLSTATE insufficient_privilege. */
export const NOT_ALLOWED = '42501';

/** What pg-pool says when no connection became free in time, whatever it sounds like. */
const POOL_IS_FULL = 'timeout exceeded when trying to connect';
const ALL_BUSY =
  'all connections to it were busy for ten seconds; look for what it waits for (pg_blocking_pids)';

/** What pg threw, as a `DbError`. Anything that does not come from the server is a matter of the connection. */
export function dbErrorOf(error: unknown): DbError {
  if (error instanceof DbError) return error;
  if (error instanceof Error && error.message === POOL_IS_FULL)
    return new DbError('transient', null, `PostgreSQL is too slow: ${ALL_BUSY}`, { cause: error });
  if (!(error instanceof pg.DatabaseError))
    return new DbError('transient', null, `PostgreSQL does not answer: ${reasonOf(error)}`, { cause: error });
  const sqlState = error.code ?? null;
  return new DbError(kindOf(sqlState ?? ''), sqlState, `PostgreSQL: ${error.message}`, { cause: error });
}

const TRANSIENT_CLASSES = new Set(['08', '40', '53', '58']);
const TRANSIENT_STATES = new Set([
  '25006', // read-only: the primary became a standby
  '25P03', // we idled in a transaction for too long
  '55P03', // lock not available
  '57014', // statement timeout, or cancelled by an operator
  '57P01', // the server is shutting down,
  '57P02', // has crashed,
  '57P03', // or is starting up
  '57P05', // the session was idle for too long
]);

const TOO_LONG_FOR_INDEX = '54000';

function kindOf(sqlState: string): DbErrorKind {
  const stateClass = sqlState.slice(0, 2);
  if (stateClass === '22' || stateClass === '23' || sqlState === TOO_LONG_FOR_INDEX) return 'data';
  return TRANSIENT_CLASSES.has(stateClass) || TRANSIENT_STATES.has(sqlState) ? 'transient' : 'other';
}

/** Node reports a refused connection to a name with two addresses as an `AggregateError` without a message. */
function reasonOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(reasonOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}
