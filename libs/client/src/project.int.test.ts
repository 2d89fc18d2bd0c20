import { createDatabase, type TestDatabase } from '@mailstream/testing';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectMailstream, type Mailstream } from './connect.ts';
import { ChangesLostError } from './position.ts';
import type { Projection, ProjectOptions } from './project.ts';
import { type ChangeWorld, createChangeWorld, newAccount, until } from './testkit.ts';

let world: ChangeWorld;
let mailstream: Mailstream;
let database: TestDatabase;
let pool: pg.Pool;
let stops: (() => Promise<void>)[];

beforeAll(async () => {
  [world, database] = await Promise.all([createChangeWorld(), createDatabase()]);
  mailstream = await connectMailstream({ natsUrl: world.nats.url });
  pool = new pg.Pool({ connectionString: database.url });
  // Unheard, connections that are cut while nobody uses them would end the process.
  pool.on('error', () => undefined);
  await pool.query('CREATE TABLE heard (id bigint GENERATED ALWAYS AS IDENTITY, subject text NOT NULL)');
});

afterAll(async () => {
  await mailstream.close();
  await world.close();
  await pool.end();
  await database.drop();
});

beforeEach(async () => {
  stops = [];
  await projection(newAccount()).rebuild();
});

afterEach(async () => {
  for (const stop of stops) await stop();
});

type Options = ProjectOptions<pg.PoolClient, 'message.created'>;

/** Notes the subject of each new message of an account. */
function projection(
  { tenant, account }: ReturnType<typeof newAccount>,
  options: Partial<Options> = {},
): Projection {
  return mailstream.project({
    ...{ pool, name: 'test', tables: ['heard'], from: 'beginning', onError: () => undefined },
    ...{ tenant, accounts: [account], types: ['message.created'] },
    async apply(client, changes) {
      for (const { event } of changes)
        await client.query('INSERT INTO heard (subject) VALUES ($1)', [event.data.state.subject]);
    },
    ...options,
  });
}

function run(one: Projection): { readonly ended: Promise<void>; stop(): Promise<void> } {
  const stop = new AbortController();
  const ended = one.run(stop.signal);
  const end = async () => {
    stop.abort();
    await ended.catch(() => undefined);
  };
  stops.push(end);
  ended.catch(() => undefined);
  return { ended, stop: end };
}

async function heard(): Promise<string[]> {
  const { rows } = await pool.query<{ subject: string }>('SELECT subject FROM heard ORDER BY id');
  return rows.map(({ subject }) => subject);
}

const numbers = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => `${from + n}`);

it('folds each change once, whoever runs it and however often it is started', async () => {
  const at = newAccount();
  for (const n of numbers(1, 40)) await world.publish(at, n);
  const both = [run(projection(at)), run(projection(at))];
  await until(async () => expect(await heard()).toEqual(numbers(1, 40)));
  for (const n of numbers(41, 60)) await world.publish(at, n);
  await until(async () => expect(await heard()).toEqual(numbers(1, 60)));
  for (const { stop } of both) await stop();
  for (const n of numbers(61, 70)) await world.publish(at, n);
  run(projection(at));
  await until(async () => expect(await heard()).toEqual(numbers(1, 70)));
});

it('undoes and tries again what fails, says so, and leaves nothing out', async () => {
  const at = newAccount();
  for (const n of numbers(1, 3)) await world.publish(at, n);
  const failures: string[] = [];
  let tries = 0;
  run(
    projection(at, {
      onError: ({ error, attempts }) => failures.push(`${attempts} ${String(error)}`),
      async apply(client, changes) {
        tries += 1;
        for (const { event } of changes)
          await client.query('INSERT INTO heard (subject) VALUES ($1)', [event.data.state.subject]);
        if (tries === 1) throw new Error('half way');
        // What PostgreSQL would roll back without a word.
        if (tries === 2) await client.query('SELECT 1 / 0').catch(() => undefined);
      },
    }),
  );
  await until(async () => expect(await heard()).toEqual(numbers(1, 3)));
  expect(failures[0]).toBe('1 Error: half way');
  expect(failures[1]).toContain('rolled back');
});

it('is the same again when it is rebuilt, also while it runs', async () => {
  const at = newAccount();
  for (const n of numbers(1, 30)) await world.publish(at, n);
  const one = projection(at);
  run(one);
  await until(async () => expect(await heard()).toEqual(numbers(1, 30)));
  await pool.query("UPDATE heard SET subject = 'spoilt'");
  await one.rebuild();
  await until(async () => expect(await heard()).toEqual(numbers(1, 30)));
  await world.publish(at, '31');
  await until(async () => expect(await heard()).toEqual(numbers(1, 31)));
});

it('goes on when its connections to PostgreSQL are cut', async () => {
  const at = newAccount();
  run(projection(at));
  await world.publish(at, '1');
  await until(async () => expect(await heard()).toEqual(['1']));
  const keeper = await pool.connect();
  await keeper.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()',
  );
  keeper.release();
  await world.publish(at, '2');
  await until(async () => expect(await heard()).toEqual(['1', '2']));
});

it('needs the API for a snapshot', () => {
  expect(() => projection(newAccount(), { from: 'snapshot' })).toThrow('`api`');
});

it('throws when the stream was made anew under it, and is well again once it is rebuilt', async () => {
  const at = newAccount();
  await world.publish(at, 'before');
  const one = projection(at);
  const first = run(one);
  await until(async () => expect(await heard()).toEqual(['before']));
  await world.bus.request('$JS.API.STREAM.DELETE.CHANGES', {}, 5_000);
  await world.bus.ensureTopology();
  await world.publish(at, 'after');
  await expect(first.ended).rejects.toThrow(ChangesLostError);
  await expect(run(one).ended).rejects.toThrow(ChangesLostError);
  await one.rebuild();
  run(one);
  await until(async () => expect(await heard()).toEqual(['after']));
});
