import { EVENT_TYPES, subjects } from '@mailstream/contracts';
import type { Db } from '@mailstream/db';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createOutbox } from './outbox.ts';
import type { Emission } from './port.ts';
import { createRelay, RelayFenced } from './relay.ts';
import { createWorld, readStream, silent, start, type World } from './testkit.ts';
import { newAccount } from './testkit-pages.ts';

let world: World;
let stop = async () => {};

beforeAll(async () => {
  world = await createWorld();
});

afterEach(async () => {
  await stop();
  stop = async () => {};
});

afterAll(async () => {
  await world.close();
});

const at = newAccount();

function renamed(name: string): Emission {
  const data = { verb: 'updated', provider: 'imap', name, state: 'live', reason: null };
  return { to: 'mail', ...at, fact: 'account.updated', type: EVENT_TYPES.accountChanged, data };
}

const outboxNamed = (name: string) => createOutbox({ ...world, logger: silent, name });

async function publishedNames(): Promise<string[]> {
  const messages = await readStream(world.bus, 'MAIL');
  return messages
    .filter(({ subject }) => subject === subjects.fact(at, 'account.updated'))
    .map(({ data }) => JSON.parse(Buffer.from(data).toString()).data.name);
}

const waiting = async () =>
  (await world.db.query<{ n: number }>('SELECT coalesce(sum(events), 0)::int AS n FROM fold.outbox'))[0]?.n;

describe('events of a transaction', () => {
  it('are published after it, in order, and not at all when it is undone', async () => {
    const outbox = outboxNamed('ordered');
    stop = start(outbox);
    const undone = world.db.tx(async (tx) => {
      await outbox.add(tx, [renamed('never')]);
      throw new Error('changed my mind');
    });
    await expect(undone).rejects.toThrow('changed my mind');
    await world.db.tx((tx) => outbox.add(tx, [renamed('a'), renamed('b')]));
    outbox.wake();
    await vi.waitFor(async () => expect(await publishedNames()).toEqual(['a', 'b']), 10_000);
    const [event] = await readStream(world.bus, 'MAIL');
    const { id, type } = JSON.parse(Buffer.from(event?.data ?? '').toString());
    expect(event?.headers).toMatchObject({ 'ce-id': id, 'ce-type': type });
  });

  it('are published once and in order by several replicas, with nobody waking them', async () => {
    const replicas = [outboxNamed('shared'), outboxNamed('shared'), outboxNamed('shared')];
    stop = start(...replicas);
    const before = (await publishedNames()).length;
    const names = Array.from({ length: 60 }, (_, i) => `n${String(i).padStart(2, '0')}`);
    for (const [i, name] of names.entries()) {
      const outbox = replicas[i % 3];
      await world.db.tx(async (tx) => await outbox?.add(tx, [renamed(name)]));
      if (i % 2 === 0) outbox?.wake();
    }
    await vi.waitFor(async () => expect((await publishedNames()).slice(before)).toEqual(names), 15_000);
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 10_000);
  });

  it('more than fit one batch go out as several', async () => {
    const outbox = outboxNamed('large');
    const before = (await publishedNames()).length;
    const many = Array.from({ length: 2_000 }, (_, i) => renamed(`m${i}`));
    await world.db.tx((tx) => outbox.add(tx, many));
    stop = start(outbox);
    await vi.waitFor(async () => expect((await publishedNames()).length).toBe(before + 2_000), 15_000);
    expect((await publishedNames()).slice(before)).toEqual(many.map((_, i) => `m${i}`));
  });
});

describe('a relay', () => {
  const outbox = { relay: 'crashing', partition: 0, target: 'mail' } as const;
  const relay = (onPublished?: () => void) =>
    createRelay({ bus: world.bus, db: world.db, outbox, epoch: '', ...(onPublished && { onPublished }) });

  it('that died after publishing finds from the marker what it had published', async () => {
    const before = (await publishedNames()).length;
    await world.db.tx((tx) => outboxNamed('crashing').add(tx, [renamed('x'), renamed('y')]));
    const died = new Error('died');
    const dying = relay(() => {
      throw died;
    });
    await expect(dying.run(new AbortController().signal)).rejects.toBe(died);
    expect(await waiting()).toBe(2);
    await world.db.tx((tx) => outboxNamed('crashing').add(tx, [renamed('z')]));
    stop = start(relay());
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 10_000);
    expect((await publishedNames()).slice(before)).toEqual(['x', 'y', 'z']);
  });

  it('does not take the marker of another database for its own', async () => {
    const before = (await publishedNames()).length;
    await world.db.query('TRUNCATE fold.outbox RESTART IDENTITY');
    await world.db.tx((tx) => outboxNamed('crashing').add(tx, [renamed('fresh')]));
    stop = start(relay());
    await vi.waitFor(async () => expect((await publishedNames()).slice(before)).toEqual(['fresh']), 10_000);
  });

  it('gives up when another one publishes the same', async () => {
    const looked = Promise.withResolvers<void>();
    const db: Db = {
      ...world.db,
      async query<R extends object>(text: string, values?: readonly unknown[]) {
        const rows = await world.db.query<R>(text, values);
        if (text.includes('FROM fold.outbox')) looked.resolve();
        return rows;
      },
    };
    const first = createRelay({ bus: world.bus, db, outbox, epoch: '' });
    const running = first.run(new AbortController().signal);
    const fenced = expect(running).rejects.toBeInstanceOf(RelayFenced);
    // From here on it publishes only what it is handed.
    await looked.promise;
    stop = start(relay());
    await world.db.tx((tx) => outboxNamed('crashing').add(tx, [renamed('once')]));
    const [row] = await world.db.query<{ id: bigint }>('SELECT id FROM fold.outbox');
    expect(row).toBeDefined();
    await stop();
    stop = start(relay());
    await vi.waitFor(async () => expect(await waiting()).toBe(0), 10_000);
    first.wake([
      { id: (row?.id ?? 0n) + 1n, position: 0n, isLast: true, lastEvent: 'e', events: 0, body: '' },
    ]);
    await fenced;
  });
});
