import { createLogger } from '@mailstream/runtime';
import { createDatabase, type TestDatabase } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDb } from './create-db.ts';
import type { Db } from './port.ts';

let database: TestDatabase;
let db: Db;

beforeAll(async () => {
  database = await createDatabase();
  db = createDb({
    url: database.url,
    max: 4,
    applicationName: 'db test',
    logger: createLogger('test', 'silent'),
  });
  await db.query('CREATE TABLE item (id int PRIMARY KEY, body text)');
});

afterAll(async () => {
  await db.close();
  await database.drop();
});

const ids = async () =>
  (await db.query<{ id: number }>('SELECT id FROM item ORDER BY id')).map((row) => row.id);

describe('values', () => {
  it('keeps 64-bit integers exact, single and in arrays', async () => {
    const big = 9_007_199_254_740_993n;
    const [row] = await db.query('SELECT $1::int8 AS one, $2::int8[] AS many, count(*) AS n', [
      big,
      [big, null],
    ]);
    expect(row).toEqual({ one: big, many: [big, null], n: 1n });
  });

  it('passes objects as JSON', async () => {
    const value = { text: 'a "quoted" \\ line\n', list: [1, null] };
    expect(await db.query('SELECT $1::jsonb AS value', [value])).toEqual([{ value }]);
  });
});

describe('a transaction', () => {
  it('is kept when its work resolves and undone when it throws', async () => {
    await db.tx(async (tx) => void (await tx.query('INSERT INTO item VALUES (1)')));
    const boom = new Error('boom');
    await expect(
      db.tx(async (tx) => {
        await tx.query('INSERT INTO item VALUES (2)');
        throw boom;
      }),
    ).rejects.toBe(boom);
    expect(await ids()).toEqual([1]);
  });

  it('undoes a savepoint alone, nested too', async () => {
    await db.tx(async (tx) => {
      await tx.query('INSERT INTO item VALUES (3)');
      await tx.savepoint(async () => {
        await tx.query('INSERT INTO item VALUES (4)');
        const inner = tx.savepoint(async () => void (await tx.query('INSERT INTO item VALUES (5), (5)')));
        await expect(inner).rejects.toMatchObject({ kind: 'data', sqlState: '23505' });
      });
    });
    expect(await ids()).toEqual([1, 3, 4]);
  });

  it('does not pass for committed when a failed statement in it was ignored', async () => {
    const careless = db.tx(async (tx) => {
      await tx.query('INSERT INTO item VALUES (6)');
      await tx.query('SELECT 1/0').catch(() => undefined);
    });
    await expect(careless).rejects.toMatchObject({ kind: 'other' });
    expect(await ids()).not.toContain(6);
  });
});

describe('a lost connection', () => {
  it('fails its transaction as transient, between statements as well as in one, and the next call works', async () => {
    const killed = db.tx(async (tx) => {
      const [row] = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
      await db.query('SELECT pg_terminate_backend($1, 5000)', [row?.pid]);
      await tx.query('SELECT 1');
    });
    await expect(killed).rejects.toMatchObject({ kind: 'transient' });
    const suicide = db.query('SELECT pg_terminate_backend(pg_backend_pid())');
    await expect(suicide).rejects.toMatchObject({ kind: 'transient' });
    expect(await db.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('to a server that is not there is transient', async () => {
    const absent = createDb({
      url: 'postgres://nobody@127.0.0.1:1/none',
      max: 1,
      applicationName: 'db test',
      logger: createLogger('test', 'silent'),
    });
    await expect(absent.query('SELECT 1')).rejects.toMatchObject({ kind: 'transient', sqlState: null });
    await absent.close();
  });
});
