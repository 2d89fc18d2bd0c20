/** The database as the rest of Mailstream sees it: queries, transactions, and errors that say whether trying again helps. */

/** A row as pg returns it; callers name its shape. */
export type Row = Record<string, unknown>;

/** Runs statements; inside `Db.tx` all on one connection and in one transaction. */
export interface Sql {
  /**
   * Rows of one statement. Parameters are `$1 …`: dates, bigints, arrays (as PostgreSQL arrays) and objects (as JSON; an array that is
   * to be JSON is passed as text). 64-bit integers, and so counts, come back as BigInt. Every fault is a `DbError`.
   */
  query<R extends object = Row>(text: string, values?: readonly unknown[]): Promise<R[]>;
}

/** A transaction. */
export interface Tx extends Sql {
  /** Runs `work` under a savepoint: when it throws, only what it did is undone, and the error is passed on. */
  savepoint<T>(work: () => Promise<T>): Promise<T>;
}

export interface Db extends Sql {
  /**
   * One transaction: committed when `work` resolves, rolled back when it throws. Never retried here. It is read committed; a `snapshot` only
   * reads, and all its statements see the same moment.
   */
  tx<T>(work: (tx: Tx) => Promise<T>, mode?: 'snapshot'): Promise<T>;
  close(): Promise<void>;
}
