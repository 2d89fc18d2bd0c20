/** The atomic page against the real server: all or nothing, one winner, and the server's true words. */
import { subjects } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bus, BusError, connectBus, type Outgoing } from './index.ts';
import { account, silent } from './testkit.ts';

let nats: TestNats;
let bus: Bus;
let rival: Bus;

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'batch-test', logger: silent });
  rival = await connectBus({ url: nats.url, name: 'batch-rival', logger: silent });
  await bus.ensureTopology();
});

afterAll(async () => {
  await Promise.all([bus?.close(), rival?.close()]);
  await nats?.drop();
});

function page(at: ReturnType<typeof account>, size: number, id = 'page'): Outgoing[] {
  const facts = Array.from({ length: size - 1 }, (_, index) => ({
    subject: subjects.fact(at, 'message.changed'),
    data: { id: `${id}.${index}` },
  }));
  return [...facts, { subject: subjects.cursor(at, 'inbox'), data: { page: id }, headers: { 'ce-id': id } }];
}

describe('an atomic batch', () => {
  it('is stored contiguously and in order, up to a thousand messages', async () => {
    const at = account();
    const cursor = subjects.cursor(at, 'inbox');
    const before = (await bus.state('MAIL')).last;

    const outcome = await bus.publishBatch(page(at, 1_000), { subject: cursor, sequence: 0n });

    expect(outcome).toEqual({ outcome: 'committed', sequence: before + 1_000n });
    const first = await bus.at('MAIL', before + 1n);
    expect(JSON.parse(Buffer.from(first!.data).toString())).toEqual({ id: 'page.0' });
    const last = await bus.last('MAIL', cursor);
    expect(last).toMatchObject({ sequence: before + 1_000n, subject: cursor });
    expect(last?.headers['ce-id']).toBe('page');
  });
});
void BusError;
