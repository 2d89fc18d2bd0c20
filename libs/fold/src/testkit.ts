/** What the engine's own tests share: a small world with real servers. */
import { type Bus, connectBus, type Stored } from '@mailstream/bus';
import type { Envelope, StreamName } from '@mailstream/contracts';
import { createDb, type Db } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { createDatabase, createNats, type TestDatabase, type TestNats } from '@mailstream/testing';
import { migrateFold } from './migrate.ts';
import { createKeeperTables } from './testkit-keeper.ts';

export const silent = createLogger('test', 'silent');

export interface World {
  readonly nats: TestNats;
  readonly database: TestDatabase;
  readonly bus: Bus;
  readonly db: Db;
  close(): Promise<void>;
}

/** A log, a database with the engine's tables and the keeper's. */
export async function createWorld(log: Promise<TestNats> = createNats()): Promise<World> {
  const [nats, database] = await Promise.all([log, createDatabase()]);
  const [bus] = await Promise.all([
    connectBus({ url: nats.url, name: 'fold test', logger: silent }),
    migrateFold(database.url, silent),
  ]);
  const db = createDb({ url: database.url, max: 20, applicationName: 'fold test', logger: silent });
  await Promise.all([bus.ensureTopology(), createKeeperTables(db)]);
  return {
    nats,
    database,
    bus,
    db,
    async close() {
      await bus.close();
      await db.close();
      await Promise.all([nats.drop(), database.drop()]);
    },
  };
}

/** Runs parts until the returned function is called. */
export function start(...parts: readonly { run(signal: AbortSignal): Promise<void> }[]): () => Promise<void> {
  const stop = new AbortController();
  const running = Promise.all(parts.map((part) => part.run(stop.signal)));
  return async () => {
    stop.abort();
    await running;
  };
}

/** All messages of a stream, in order. */
export async function readStream(bus: Bus, stream: StreamName): Promise<Stored[]> {
  const { first, last } = await bus.state(stream);
  const all: Stored[] = [];
  if (last === 0n || first > last) return all;
  const stop = new AbortController();
  for await (const messages of bus.read(stream, '>', 1n, stop.signal)) {
    all.push(...messages);
    if ((all.at(-1)?.sequence ?? 0n) >= last) stop.abort();
  }
  return all;
}

/** All change events, in order, without the relays' markers. */
export async function readChanges(bus: Bus): Promise<Envelope[]> {
  const messages = await readStream(bus, 'CHANGES');
  return messages
    .filter(({ subject }) => subject.startsWith('changes.'))
    .map(({ data }): Envelope => JSON.parse(Buffer.from(data).toString()));
}
