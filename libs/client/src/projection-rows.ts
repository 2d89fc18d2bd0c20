/** Where a projection stands, in the subscriber's own database: read and moved in the transactions that change its tables. */
import { uuidv7 } from '@mailstream/contracts';
import type { Covered } from './coverage.ts';
import type { Position } from './position.ts';

/** What of node-postgres is used: a `pg.PoolClient` has it. */
export interface PgClient {
  query(text: string, values?: unknown[]): Promise<{ rows: unknown[]; command: string }>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  release(destroy?: boolean): void;
}

/** What of node-postgres is used: a `pg.Pool` has it. */
export interface PgPool<C extends PgClient> {
  connect(): Promise<C>;
}

/** Where a projection stands. */
export interface Standing {
  readonly position: Position;
  /** Where its snapshot goes on; null: it is complete, or there was none. */
  readonly snapshotAt: string | null;
  /** Another one after each step: who does not know the last may not take the next. */
  readonly revision: string;
}

/** Another process or a rebuild moved it on. */
export class ProjectionMoved extends Error {
  override readonly name = 'ProjectionMoved';
}

/** One transaction. */
export async function transact<C extends PgClient, T>(
  pool: PgPool<C>,
  work: (client: C) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  // Unheard, the loss of the connection between two statements would end the process; the next statement tells of it.
  const hear = () => undefined;
  client.on('error', hear);
  let isBroken = true;
  try {
    await client.query('BEGIN');
    try {
      const result = await work(client);
      const { command } = await client.query('COMMIT');
      isBroken = false;
      // PostgreSQL does not call that an error.
      if (command !== 'COMMIT')
        throw new Error(
          'a statement had failed and its error was not passed on: the transaction was rolled back',
        );
      return result;
    } catch (error) {
      await client.query('ROLLBACK');
      isBroken = false;
      throw error;
    }
  } finally {
    // A connection on which not even ROLLBACK worked is not to be used again.
    client.off('error', hear);
    client.release(isBroken);
  }
}

/** The tables, in the first schema of the search path. Several processes may do this at once. */
export async function createTables(client: PgClient): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('mailstream projections', 0))");
  await client.query(`CREATE TABLE IF NOT EXISTS mailstream_projection (
    name text PRIMARY KEY, stream text NOT NULL, sequence bigint NOT NULL, stored_at text, snapshot_at text, revision uuid NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT now())`);
  await client.query(`CREATE TABLE IF NOT EXISTS mailstream_snapshot (
    name text NOT NULL, page bigint GENERATED ALWAYS AS IDENTITY, account text NOT NULL, version bigint NOT NULL, through text,
    PRIMARY KEY (name, page))`);
}

interface StandingRow {
  readonly stream: string;
  readonly sequence: string;
  readonly stored_at: string | null;
  readonly snapshot_at: string | null;
  readonly revision: string;
}

export async function readStanding(client: PgClient, name: string): Promise<Standing | null> {
  const { rows } = await client.query(
    'SELECT stream, sequence::text, stored_at, snapshot_at, revision::text FROM mailstream_projection WHERE name = $1',
    [name],
  );
  const [row] = rows as StandingRow[];
  if (!row) return null;
  const position = { stream: row.stream, sequence: BigInt(row.sequence), storedAt: row.stored_at };
  return { position, snapshotAt: row.snapshot_at, revision: row.revision };
}

/** What the snapshot of a projection covers. */
export async function readCovered(client: PgClient, name: string): Promise<Covered[]> {
  const { rows } = await client.query(
    'SELECT account, version::text, through FROM mailstream_snapshot WHERE name = $1 ORDER BY page',
    [name],
  );
  const pages = rows as {
    readonly account: string;
    readonly version: string;
    readonly through: string | null;
  }[];
  return pages.map(({ version, ...page }) => ({ ...page, version: BigInt(version) }));
}

/** The first row of a projection. Throws `ProjectionMoved` when another process was faster. */
export async function beginStanding(
  client: PgClient,
  name: string,
  { position, snapshotAt }: Omit<Standing, 'revision'>,
): Promise<Standing> {
  const revision = uuidv7();
  const { rows } = await client.query(
    `INSERT INTO mailstream_projection (name, stream, sequence, stored_at, snapshot_at, revision)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING RETURNING 1`,
    [name, position.stream, String(position.sequence), position.storedAt, snapshotAt, revision],
  );
  if (rows.length === 0) throw new ProjectionMoved(`${name} was begun by another process`);
  return { position, snapshotAt, revision };
}

/** Compare and set; keeps the row locked until the transaction ends. Throws `ProjectionMoved` when it does not stand at `from` any more. */
export async function moveStanding(
  client: PgClient,
  name: string,
  from: Standing,
  { position, snapshotAt }: Omit<Standing, 'revision'>,
): Promise<Standing> {
  const revision = uuidv7();
  const { rows } = await client.query(
    `UPDATE mailstream_projection
     SET stream = $3, sequence = $4, stored_at = $5, snapshot_at = $6, revision = $7, updated_at = now()
     WHERE name = $1 AND revision = $2 RETURNING 1`,
    [
      name,
      from.revision,
      position.stream,
      String(position.sequence),
      position.storedAt,
      snapshotAt,
      revision,
    ],
  );
  if (rows.length === 0)
    throw new ProjectionMoved(`${name} was moved on by another process, or set back by a rebuild`);
  return { position, snapshotAt, revision };
}

export async function addCovered(
  client: PgClient,
  name: string,
  { account, version, through }: Covered,
): Promise<void> {
  await client.query(
    'INSERT INTO mailstream_snapshot (name, account, version, through) VALUES ($1, $2, $3, $4)',
    [name, account, String(version), through],
  );
}

/** As if it had never been, its tables emptied. */
export async function forgetStanding(
  client: PgClient,
  name: string,
  tables: readonly string[],
): Promise<void> {
  // First of all, so that no process is in a transaction on the old rows.
  await client.query('DELETE FROM mailstream_projection WHERE name = $1', [name]);
  await client.query('DELETE FROM mailstream_snapshot WHERE name = $1', [name]);
  if (tables.length > 0) await client.query(`TRUNCATE ${tables.map(quoted).join(', ')}`);
}

/** `crm.contact` is a table of a schema. */
function quoted(table: string): string {
  return table
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.');
}
