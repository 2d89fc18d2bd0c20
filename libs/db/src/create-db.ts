/** The pool of connections behind `Db`. */
import { createHash } from 'node:crypto';
import { inChildSpan, type Logger, type Metrics } from '@mailstream/runtime';
import pg from 'pg';
import { connectionString } from './connection.ts';
import { DbError, dbErrorOf } from './errors.ts';
import type { Db, Row, Tx } from './port.ts';

export interface DbOptions {
  /** `postgres://user:password@host:port/database`; for TLS see `connectionString`. */
  readonly url: string;
  /** Most connections at once; who asks for more waits, at most 10 s. */
  readonly max: number;
  /** What operators see in `pg_stat_activity`. */
  readonly applicationName: string;
  readonly logger: Logger;
  /** Told of the connections. */
  readonly metrics?: Metrics;
  /** The schema in which statements find tables that they name without one. */
  readonly schema?: string;
  /** How long a statement may take, milliseconds; a minute when absent. */
  readonly statementMs?: number;
}

const STATEMENT_MS = 60_000;
const CONNECT_MS = 10_000;

/** By the conventions for databases. */
const SPAN = { kind: 'client', attributes: { 'db.system.name': 'postgresql' } } as const;

/** A database. Connects when first used; a connection that broke is replaced by the next call. Every fault is a `DbError`. */
export function createDb(options: DbOptions): Db {
  const { url, max, applicationName, logger, metrics, schema, statementMs = STATEMENT_MS } = options;
  const pool = new pg.Pool({
    connectionString: connectionString(url),
    max,
    application_name: applicationName,
    types: parsers(),
    keepAlive: true,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: statementMs,
    idle_in_transaction_session_timeout: statementMs,
    // The server's own timeout answers first, unless the server is gone without a word.
    query_timeout: statementMs + 5_000,
    ...(schema !== undefined && {
      onConnect: async (client) =>
        void (await client.query(`SET search_path TO ${pg.escapeIdentifier(schema)}`)),
    }),
  });
  pool.on('error', (error) => logger.warn({ err: error }, 'an idle database connection was lost'));
  // The pool listens on idle connections only; unheard, the loss of a busy one between two statements would end the process.
  pool.on('connect', (client) => client.on('error', () => undefined));

  if (metrics) observePool(metrics, applicationName, pool);

  const connect = async () => await pool.connect().catch(fail);

  async function transact<T>(work: (tx: Tx) => Promise<T>, mode?: 'snapshot'): Promise<T> {
    const client = await connect();
    let broken: Error | undefined;
    try {
      await run(client, mode === 'snapshot' ? 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY' : 'BEGIN');
      const result = await work(transaction(client));
      await commit(client);
      return result;
    } catch (error) {
      broken = await rollback(client, error);
      throw error;
    } finally {
      client.release(broken);
    }
  }

  return {
    query: (text, values) => run(pool, text, values),
    // Not each statement: a fold has twenty of them, and their spans would cost more than what they tell.
    tx: (work, mode) => inChildSpan('transaction', SPAN, () => transact(work, mode)),
    close: () => pool.end(),
  };
}

function transaction(client: pg.ClientBase): Tx {
  let depth = 0;
  return {
    query: (text, values) => run(client, text, values),
    async savepoint(work) {
      depth += 1;
      const name = `s${depth}`;
      try {
        await run(client, `SAVEPOINT ${name}`);
        const result = await work();
        await run(client, `RELEASE ${name}`);
        return result;
      } catch (error) {
        if (!isLost(error)) await run(client, `ROLLBACK TO ${name}`);
        throw error;
      } finally {
        depth -= 1;
      }
    },
  };
}

async function run<R extends object = Row>(
  client: pg.ClientBase | pg.Pool,
  text: string,
  values?: readonly unknown[],
): Promise<R[]> {
  const query = values ? { name: nameOf(text), text, values: [...values] } : text;
  const result = await client.query<R>(query).catch(fail);
  return result.rows;
}

const names = new Map<string, string>();

/**
 * Statements with parameters are prepared once per connection: parsing and planning cost more than half of a small one. Texts are constants of
 * the code, so there are few.
 */
function nameOf(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  const name = `s${createHash('sha256').update(text).digest('hex').slice(0, 20)}`;
  names.set(text, name);
  return name;
}

/** A transaction in which a statement failed and was caught is rolled back by COMMIT, which does not call that an error. */
async function commit(client: pg.ClientBase): Promise<void> {
  const { command } = await client.query('COMMIT').catch(fail);
  if (command !== 'COMMIT')
    throw new DbError('other', null, 'a statement had failed, so the transaction was rolled back at its end');
}

/** Ends the transaction; returns the error for which the connection must not be used again. */
async function rollback(client: pg.ClientBase, error: unknown): Promise<Error | undefined> {
  if (isLost(error)) return error;
  return client.query('ROLLBACK').then(
    () => undefined,
    (failure: Error) => failure,
  );
}

function isLost(error: unknown): error is DbError {
  return error instanceof DbError && error.kind === 'transient' && error.sqlState === null;
}

function fail(error: unknown): never {
  throw dbErrorOf(error);
}

/** 64-bit integers as BigInt: sequences and counts do not all fit a number. */
function parsers(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  const INT8_ARRAY = 1016;
  types.setTypeParser(pg.types.builtins.INT8, BigInt);
  types.setTypeParser(INT8_ARRAY, (text) =>
    text === '{}'
      ? []
      : text
          .slice(1, -1)
          .split(',')
          .map((item) => (item === 'NULL' ? null : BigInt(item))),
  );
  return types;
}

function observePool(metrics: Metrics, name: string, pool: pg.Pool): void {
  const labels = { 'db.client.connection.pool.name': name };
  metrics.observe('db.client.connection.count', () => [
    [{ ...labels, 'db.client.connection.state': 'idle' }, pool.idleCount],
    [{ ...labels, 'db.client.connection.state': 'used' }, pool.totalCount - pool.idleCount],
  ]);
  metrics.observe('db.client.connection.max', () => [[labels, pool.options.max]]);
  metrics.observe('db.client.connection.pending_requests', () => [[labels, pool.waitingCount]]);
}
