/** The streams on the real server: made once, by many at the same time, and made right again. */
import { STREAMS } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Bus, connectBus } from './index.ts';
import { account, silent } from './testkit.ts';

let nats: TestNats;
let buses: Bus[];

beforeAll(async () => {
  nats = await createNats();
  buses = await Promise.all(
    [1, 2, 3, 4].map((number) => connectBus({ url: nats.url, name: `topology-${number}`, logger: silent })),
  );
});

afterAll(async () => {
  await Promise.all((buses ?? []).map((bus) => bus.close()));
  await nats?.drop();
});

async function configs() {
  const operator = await connect({ servers: nats.url });
  const manager = await jetstreamManager(operator);
  const found = [];
  for await (const { config } of manager.streams.list()) found.push(config);
  await operator.close();
  return found;
}

it('is made by several processes at once', async () => {
  await Promise.all(buses.map((bus) => bus.ensureTopology()));
  expect((await configs()).map(({ name }) => name).sort()).toEqual(Object.keys(STREAMS).sort());
});

it('keeps what is stored when it is made again, and follows a changed option', async () => {
  const [bus] = buses;
  const { created } = await bus!.state('MAIL');
  const letter = {
    stream: 'MAIL',
    subject: `mail.00.acme.${account().account}.x`,
    sequence: 1n,
    data: new Uint8Array(),
  };
  await bus!.park(letter, 'test', 'kept');
  for (const mailMaxAgeMs of [60_000, 3_600_000])
    await Promise.all(buses.map((one) => one.ensureTopology({ mailMaxAgeMs })));
  expect((await bus!.state('MAIL')).created).toBe(created);
  expect(await bus!.last('DEAD', 'dead.>')).not.toBeNull();
  expect((await configs()).find(({ name }) => name === 'MAIL')?.max_age).toBe(3_600 * 1e9);
});
