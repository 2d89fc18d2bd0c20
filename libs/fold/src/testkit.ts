/** What the engine's own tests share: a small world with real servers, a fold that keeps a view, and pages to feed it. */
import { type Bus, connectBus, type Fence, type Outgoing, type Stored } from '@mailstream/bus';
import {
  type AccountRef,
  type Envelope,
  EVENT_TYPES,
  envelope,
  type MessageChanged,
  type StreamName,
  subjects,
  uuidv7,
} from '@mailstream/contracts';
import { createDb, type Db, type Tx } from '@mailstream/db';
import { createLogger } from '@mailstream/runtime';
import { createDatabase, createNats, type TestDatabase, type TestNats } from '@mailstream/testing';
import { migrateFold } from './migrate.ts';
import type { Emission, FoldDefinition, Page, Scope } from './port.ts';

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

export async function createKeeperTables(db: Db): Promise<void> {
  await db.query(`
    CREATE TABLE copy (
      account text, mailbox text, uid int, value text, version bigint, PRIMARY KEY (account, mailbox, uid)
    );
    CREATE TABLE cursor (
      tenant text, account text, scope text, page text, cursor text, PRIMARY KEY (account, scope)
    )`);
}

/** The value a copy has: its flags, joined. */
interface Copy {
  readonly account: string;
  readonly mailbox: string;
  readonly uid: number;
  readonly value: string | null;
  readonly version: bigint;
}

/** A fold that keeps copies and cursors, as the projector does, and announces each fact once. */
export function createKeeper(name = 'keeper'): FoldDefinition {
  return {
    name,
    facts: ['message.changed', 'cursor.*', 'account.*'],
    async apply(tx, pages) {
      const copies = latestCopies(pages);
      await saveCopies(tx, copies);
      await saveCursors(tx, pages);
      return { emissions: pages.flatMap(announce) };
    },
    skipped: ({ tenant, account, sequence, subject, reason }) => [
      {
        to: 'changes',
        tenant,
        account,
        entity: 'message',
        verb: 'skipped',
        sequence,
        data: { sequence: String(sequence), subject, reason },
      },
    ],
    async cursors(tx, scopes) {
      const rows = await tx.query<Scope & { cursor: string }>(
        'SELECT tenant, account, scope, cursor FROM cursor',
      );
      return scopes.map((wanted) => {
        const row = rows.find((each) => each.account === wanted.account && each.scope === wanted.scope);
        return { ...wanted, cursor: row ? JSON.parse(row.cursor) : null };
      });
    },
  };
}

function latestCopies(pages: readonly Page[]): Copy[] {
  const copies = new Map<string, Copy>();
  for (const { account, facts } of pages) {
    for (const { event, sequence } of facts) {
      if (event.type !== EVENT_TYPES.messageChanged) continue;
      const { mailbox, uid } = event.data.copy;
      const value = event.data.op === 'removed' ? null : (event.data.flags ?? []).join();
      copies.set(`${account}/${mailbox}/${uid}`, { account, mailbox, uid, value, version: sequence });
    }
  }
  return [...copies.values()];
}

async function saveCopies(tx: Tx, copies: readonly Copy[]): Promise<void> {
  const gone = copies.filter((copy) => copy.value === null);
  const kept = copies.filter((copy) => copy.value !== null);
  const keys = (rows: readonly Copy[]) => [
    rows.map((row) => row.account),
    rows.map((row) => row.mailbox),
    rows.map((row) => row.uid),
  ];
  await tx.query(
    `DELETE FROM copy WHERE (account, mailbox, uid) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::int[]))`,
    keys(gone),
  );
  await tx.query(
    `INSERT INTO copy SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::bigint[])
     ON CONFLICT (account, mailbox, uid) DO UPDATE SET value = excluded.value, version = excluded.version`,
    [...keys(kept), kept.map((row) => row.value), kept.map((row) => row.version)],
  );
}

async function saveCursors(tx: Tx, pages: readonly Page[]): Promise<void> {
  for (const { tenant, account, cursor } of pages) {
    if (!cursor) continue;
    const { scope, page, cursor: value } = cursor.event.data;
    await tx.query(
      `INSERT INTO cursor VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (account, scope) DO UPDATE SET page = excluded.page, cursor = excluded.cursor`,
      [tenant, account, scope, page, JSON.stringify(value)],
    );
  }
}

function announce({ tenant, account, facts }: Page): Emission[] {
  return facts.map((fact) => ({
    to: 'changes',
    tenant,
    account,
    entity: 'message',
    verb: 'updated',
    sequence: fact.sequence,
    data: { version: String(fact.sequence), origin: 'live', changed: [], state: fact.event.data },
  }));
}

/** An account nobody else uses. */
export const newAccount = (): AccountRef => ({ tenant: 'acme', account: uuidv7() });

/** A copy seen with this value; null: it is gone. */
export type Observation = readonly [uid: number, value: string | null];

export interface PageDraft {
  readonly at: AccountRef;
  readonly scope: string;
  readonly page?: string;
  readonly prev: string | null;
  readonly cursor: unknown;
  readonly seen: readonly Observation[];
}

const SOURCE = '/mailstream/test';

/** The messages of a page as a fetcher publishes it. */
export function pageMessages({ at, scope, page = uuidv7(), prev, cursor, seen }: PageDraft): Outgoing[] {
  const time = new Date().toISOString();
  const facts = seen.map(([uid, value], index) => ({
    subject: subjects.fact(at, 'message.changed'),
    data: envelope({
      ...at,
      id: `${page}.${index}`,
      source: SOURCE,
      type: EVENT_TYPES.messageChanged,
      time,
      page,
      data: change(scope, uid, value),
    }),
  }));
  const closing = {
    subject: subjects.cursor(at, scope),
    data: envelope({
      ...at,
      id: `${page}.cursor`,
      source: SOURCE,
      type: EVENT_TYPES.cursorAdvanced,
      time,
      page,
      data: {
        ...{ scope, page, prev, cursor, origin: 'live', run: 'run' },
        ...{ count: seen.length, done: true, estimate: null },
      },
    }),
  };
  return [...facts, closing];
}

function change(mailbox: string, uid: number, value: string | null): MessageChanged {
  const copy = { mailbox, generation: '1', uid };
  if (value === null) return { op: 'removed', copy, origin: 'live' };
  return { op: 'patch', copy, origin: 'live', flags: [value] };
}

/** Publishes a page behind the scope's last cursor, whatever that is; returns the page's id. */
export async function publishPage(bus: Bus, draft: PageDraft): Promise<string> {
  const page = draft.page ?? uuidv7();
  const fence = await currentFence(bus, subjects.cursor(draft.at, draft.scope));
  const { outcome } = await bus.publishBatch(pageMessages({ ...draft, page }), fence);
  if (outcome !== 'committed') throw new Error(`the page was not stored: ${outcome}`);
  return page;
}

export async function currentFence(bus: Bus, subject: string): Promise<Fence> {
  return { subject, sequence: (await bus.last('MAIL', subject))?.sequence ?? 0n };
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

/** The keeper's copies, one line each. */
export async function readCopies(db: Db): Promise<string[]> {
  const rows = await db.query<Copy>('SELECT * FROM copy ORDER BY account, mailbox, uid');
  return rows.map((row) => `${row.account} ${row.mailbox} ${row.uid} ${row.value}`);
}
