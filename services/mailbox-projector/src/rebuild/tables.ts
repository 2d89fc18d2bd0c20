/** The two sets of tables of a rebuild: made, brought in line with what is not in the log, exchanged, dropped. */
import { DbError, type Sql, type Tx } from '@mailstream/db';
import { forgetShadowChains } from '@mailstream/fold';
import { AppError, pause } from '@mailstream/runtime';
import { VIEW_SCHEMA } from '../migrate.ts';
import { projector } from '../projector.ts';

export const LIVE = VIEW_SCHEMA.schema;
/** Made by the same migrations, filled by the same fold. */
export const NEXT = `${LIVE}_next`;

export interface TableOf {
  readonly name: string;
  /** The columns of its primary key. */
  readonly key: readonly string[];
}

/** The tables that a fold fills. */
export async function readTables(sql: Sql, schema: string): Promise<TableOf[]> {
  return sql.query<TableOf>(
    `select c.relname as name, array_agg(a.attname::text order by array_position(i.indkey::int2[], a.attnum)) as key
       from pg_index i join pg_class c on c.oid = i.indrelid join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
      where i.indisprimary and c.relnamespace = to_regnamespace($1) and c.relname <> 'migrations'
      group by c.relname order by c.relname`,
    [schema],
  );
}

export async function dropNext(sql: Sql): Promise<void> {
  await sql.query(`drop schema if exists ${NEXT} cascade`);
}

/**
 * Of removed accounts the live tables know what the log may not say any more: that they were removed, and whether their rows are erased. `wiped` are those
 * whose rows were looked for in the new tables before.
 */
export async function adoptRemoved(tx: Tx, wiped: Set<string>): Promise<void> {
  const rows = await tx.query<{ account: string }>(
    `select account from ${LIVE}.account where state = 'removed'`,
  );
  const removed = rows.map(({ account }) => account);
  const fresh = removed.filter((account) => !wiped.has(account));
  if (fresh.length > 0)
    for (const { name } of await readTables(tx, NEXT))
      await tx.query(`delete from ${NEXT}.${name} where account = any($1::text[])`, [fresh]);
  await tx.query(`delete from ${NEXT}.account where account = any($1::text[])`, [removed]);
  await tx.query(
    `insert into ${NEXT}.account select * from ${LIVE}.account where account = any($1::text[])`,
    [removed],
  );
  await forgetShadowChains(tx, projector.name, removed);
  for (const account of fresh) wiped.add(account);
}

/** Below a second, after which PostgreSQL looks for deadlocks and might end a reader. */
const LOCK_MS = 250;
const TRIES = 20;
const SQLSTATE_LOCKED = '55P03';
const SQLSTATE_DEPENDENT = '2BP01';

/**
 * The new tables take the place of the live ones, and those are dropped. Nobody may be in the middle of reading: who began before is waited for, who comes
 * waits up to `LOCK_MS` and finds the new tables. Throws `rebuild.busy` when somebody reads for too long.
 */
export async function exchangeTables(tx: Tx, signal: AbortSignal): Promise<void> {
  const live = (await readTables(tx, LIVE)).map(({ name }) => `${LIVE}.${name}`).join(', ');
  await lock(tx, live, signal);
  try {
    await tx.query(`drop table ${live}, ${LIVE}.migrations`);
    await tx.query(`drop schema ${LIVE}`);
  } catch (cause) {
    if (!(cause instanceof DbError) || cause.sqlState !== SQLSTATE_DEPENDENT) throw cause;
    const message = `something else in the database hangs on the tables of ${LIVE}: drop it, and make it again afterwards (${cause.message})`;
    throw new AppError('rebuild.dependents', 'permanent', message, { cause });
  }
  await tx.query(`alter schema ${NEXT} rename to ${LIVE}`);
}

async function lock(tx: Tx, tables: string, signal: AbortSignal): Promise<void> {
  await tx.query(`set local lock_timeout = ${LOCK_MS}`);
  for (let left = TRIES; ; left -= 1) {
    try {
      await tx.savepoint(() => tx.query(`lock table ${tables} in access exclusive mode`));
      return;
    } catch (error) {
      if (!(error instanceof DbError) || error.sqlState !== SQLSTATE_LOCKED) throw error;
      if (left === 0)
        throw new AppError('rebuild.busy', 'conflict', `somebody reads ${LIVE} in one transaction for long`, {
          cause: error,
        });
    }
    await pause(LOCK_MS / 2, signal);
    signal.throwIfAborted();
  }
}
