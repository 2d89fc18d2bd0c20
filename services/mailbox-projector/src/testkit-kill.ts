/** For tests: processes that die at any point at which they wait. What they held open is gone with them, as the servers see it. */
import type { Bus } from '@mailstream/bus';
import type { PgClient, PgPool } from '@mailstream/client';
import type { Db, Tx } from '@mailstream/db';

/** Thrown at whoever goes on in a process that is dead. */
class Killed extends Error {
  override readonly name = 'Killed';
}

/** The life of one process. */
export interface Life {
  /** From now on so many steps are left; each call to a server is two, one before and one after it. */
  endAfter(steps: number): void;
  /** Ends it now. */
  end(): void;
  readonly signal: AbortSignal;
  /** Throws when it is over. */
  step(): void;
}

export function createLife(): Life {
  const end = new AbortController();
  let left = Number.POSITIVE_INFINITY;
  return {
    endAfter(steps) {
      left = steps;
    },
    end: () => end.abort(new Killed('killed by the test')),
    signal: end.signal,
    step() {
      left -= 1;
      if (left < 0) end.abort(new Killed('killed by the test'));
      if (end.signal.aborted) throw end.signal.reason;
    },
  };
}

async function lived<T>(life: Life, call: () => Promise<T>): Promise<T> {
  life.step();
  const result = await call();
  life.step();
  return result;
}

export function mortalDb(db: Db, life: Life): Db {
  return {
    query: (text, values) => lived(life, () => db.query(text, values)),
    tx: (work) => lived(life, () => db.tx((tx) => work(mortalTx(tx, life)))),
    close: () => db.close(),
  };
}

function mortalTx(tx: Tx, life: Life): Tx {
  return {
    query: (text, values) => lived(life, () => tx.query(text, values)),
    savepoint: (work) => lived(life, () => tx.savepoint(work)),
  };
}

/** Of the bus, what a fold uses. */
export function mortalBus(bus: Bus, life: Life): Bus {
  return {
    ...bus,
    publish: (message) => lived(life, () => bus.publish(message)),
    publishBatch: (messages, fence) => lived(life, () => bus.publishBatch(messages, fence)),
    last: (stream, subject) => lived(life, () => bus.last(stream, subject)),
    at: (stream, sequence) => lived(life, () => bus.at(stream, sequence)),
    state: (stream) => lived(life, () => bus.state(stream)),
    park: (message, reason, detail) => lived(life, () => bus.park(message, reason, detail)),
    async *read(stream, filter, from, signal) {
      for await (const some of bus.read(stream, filter, from, signal)) {
        life.step();
        yield some;
      }
    },
  };
}

export function mortalPool(pool: PgPool<PgClient>, life: Life): PgPool<PgClient> {
  return {
    async connect() {
      life.step();
      const client = await pool.connect();
      try {
        life.step();
      } catch (error) {
        client.release(true);
        throw error;
      }
      return {
        query: (text, values) => lived(life, () => client.query(text, values)),
        on: (event, listener) => client.on(event, listener),
        off: (event, listener) => client.off(event, listener),
        release: (destroy) => client.release(destroy),
      };
    },
  };
}
