/** The ordered reader against the real server: everything once and in order, or an end that says so. */
import { subjects } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, connectBus, type Stored } from './index.ts';
import { account, json, silent, silentProxy, until } from './testkit.ts';

let nats: TestNats;
let bus: Bus;
let operator: NatsConnection;
let manager: JetStreamManager;

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'read', logger: silent });
  operator = await connect({ servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  manager = await jetstreamManager(operator);
});

beforeEach(async () => {
  await bus.ensureTopology();
  await until(() =>
    readers().then(
      (names) => names.length === 0,
      () => false,
    ),
  );
});

afterAll(async () => {
  await bus?.close();
  await operator?.close();
  await nats?.drop();
});

const fact = (at = account()) => ({ subject: subjects.fact(at, 'message.changed'), data: { at } });

async function store(subject: string, count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1_000) {
    const messages = Array.from({ length: Math.min(left, 1_000) }, () => ({
      subject,
      data: 'x'.repeat(100),
    }));
    const sequence = (await bus.last('MAIL', subject))?.sequence ?? 0n;
    await bus.publishBatch(messages, { subject, sequence });
  }
}

/** Reads in the background; `error` is how it ended. */
function reading(reader: Bus, filter = 'mail.>', from: bigint | Date = 1n) {
  const stop = new AbortController();
  const seen: Stored[] = [];
  const ended = (async () => {
    for await (const batch of reader.read('MAIL', filter, from, stop.signal)) seen.push(...batch);
  })().then(
    () => null,
    (error: unknown) => error,
  );
  return { seen, stop, ended };
}

async function readers(): Promise<string[]> {
  const names: string[] = [];
  for await (const consumer of manager.consumers.list('MAIL')) names.push(consumer.name);
  return names;
}

describe('a reader', () => {
  it('yields all of what matches from a sequence on, in order, whatever was stored before and meanwhile', async () => {
    const pool = [account(), account(), account()];
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(fc.nat(2), { minLength: 1, maxLength: 40 }), { minLength: 2, maxLength: 6 }),
        fc.nat(2),
        fc.double({ min: 0, max: 1, noNaN: true }),
        async (batches, wanted, startAt) => {
          const before = (await bus.state('MAIL')).last;
          const filter = subjects.fact(pool[wanted]!, '>');
          const all = batches.flat();
          const from = before + 1n + BigInt(Math.floor(startAt * (batches[0]!.length - 1)));
          const expected = all
            .map((index, offset) => ({ index, sequence: before + 1n + BigInt(offset) }))
            .filter(({ index, sequence }) => index === wanted && sequence >= from)
            .map(({ sequence }) => sequence);

          const publish = async (accounts: readonly number[]) => {
            for (const index of accounts) await bus.publish(fact(pool[index]!));
          };
          await publish(batches[0]!);
          const reader = reading(bus, filter, from);
          for (const batch of batches.slice(1)) await publish(batch);
          await until(() => reader.seen.length >= expected.length);
          reader.stop.abort();
          await reader.ended;

          expect(reader.seen.map((message) => message.sequence)).toEqual(expected);
        },
      ),
      { numRuns: 15 },
    );
  });

  it('gives each message its subject, time, data and headers', async () => {
    const at = account();
    const message = { ...fact(at), headers: { 'ce-id': 'é', traceparent: '00-1' } };
    const sequence = await bus.publish(message);
    const reader = reading(bus, 'mail.>', sequence);
    await until(() => reader.seen.length === 1);
    const [stored] = reader.seen;
    expect(stored).toMatchObject({ stream: 'MAIL', subject: message.subject, sequence });
    expect(stored?.headers).toEqual(message.headers);
    expect(json(stored!.data)).toEqual({ at });
    expect(Math.abs(Date.now() - stored!.time.getTime())).toBeLessThan(60_000);
    reader.stop.abort();
    expect(await reader.ended).toBeNull();
  });

  it('yields what has arrived without waiting for more, and reads several filters as one order', async () => {
    const [a, b, c] = [fact(), fact(), fact()];
    const first = await bus.publish(a);
    await bus.publish(c);
    await bus.publish(b);
    const stop = new AbortController();
    const batches = bus.read('MAIL', [a.subject, b.subject], first, stop.signal)[Symbol.asyncIterator]();
    const got: bigint[] = [];
    while (got.length < 2) {
      const { value } = await batches.next();
      got.push(...(value as readonly Stored[]).map(({ sequence }) => sequence));
    }
    expect(got).toEqual([first, first + 2n]);
    const waiting = batches.next();
    const later = await bus.publish(b);
    expect((await waiting).value).toMatchObject([{ sequence: later }]);
    stop.abort();
    expect(await batches.next()).toMatchObject({ done: true });
  });

  it('begins at a time when it is given one', async () => {
    const before = await bus.publish(fact());
    const { time } = (await bus.at('MAIL', before))!;
    await until(() => Date.now() > time.getTime() + 1);
    const after = await bus.publish(fact());
    const reader = reading(bus, 'mail.>', new Date(time.getTime() + 1));
    await until(() => reader.seen.length > 0);
    expect(reader.seen.map(({ sequence }) => sequence)).toEqual([after]);
    reader.stop.abort();
    await reader.ended;
  });

  it('holds a bounded number of messages for a slow caller, and loses none', async () => {
    const { subject } = fact();
    await store(subject, 10_000);
    const stop = new AbortController();
    const seen: Stored[] = [];
    let name: string | undefined;
    for await (const batch of bus.read('MAIL', subject, 1n, stop.signal)) {
      seen.push(...batch);
      if (name === undefined) {
        [name = ''] = await readers();
        const mostWaiting = 1_024 + 512;
        const reader = name;
        const delivered = async () => (await manager.consumers.info('MAIL', reader)).delivered.consumer_seq;
        await until(async () => (await delivered()) > batch.length);
        expect(await delivered()).toBeLessThanOrEqual(batch.length + mostWaiting);
      }
      if (seen.length === 10_000) break;
    }
    const first = seen[0]!.sequence;
    expect(seen.map(({ sequence }) => sequence)).toEqual(seen.map((_, index) => first + BigInt(index)));
  });

  it('leaves nothing on the server when it is left', async () => {
    await bus.publish(fact());
    const aborted = reading(bus);
    await until(() => aborted.seen.length > 0);
    expect(await readers()).not.toEqual([]);
    aborted.stop.abort();
    await aborted.ended;
    for await (const _ of bus.read('MAIL', 'mail.>', 1n, new AbortController().signal)) break;
    await until(async () => (await readers()).length === 0);
  });

  it('does not begin on a stream that is not there', async () => {
    await manager.streams.delete('MAIL');
    expect(await reading(bus).ended).toMatchObject({ code: 'bus.no_stream' });
  });
});

describe('a reader is lost, and says so, when', () => {
  const lost = { code: 'bus.reader_lost' };

  it('its stream is deleted and made again', async () => {
    await bus.publish(fact());
    const reader = reading(bus);
    await until(() => reader.seen.length > 0);
    await manager.streams.delete('MAIL');
    await bus.ensureTopology();
    await bus.publish(fact());
    expect(await reader.ended).toMatchObject(lost);
  });

  it('its consumer is deleted', async () => {
    await bus.publish(fact());
    const reader = reading(bus);
    await until(() => reader.seen.length > 0);
    await manager.consumers.delete('MAIL', (await readers())[0]!);
    expect(await reader.ended).toMatchObject(lost);
  });

  it('a message of its count is missing', async () => {
    await bus.publish(fact());
    const reader = reading(bus);
    await until(() => reader.seen.length > 0);
    // Somebody else takes a message that its consumer would have given to it.
    const [name] = await readers();
    const taken = operator.request(
      `$JS.API.CONSUMER.MSG.NEXT.MAIL.${name}`,
      JSON.stringify({ batch: 1, expires: nanos(5_000) }),
      { timeout: 5_000, noMux: true },
    );
    const publishing = (async () => {
      for (;;) {
        await bus.publish(fact());
        if (reader.stop.signal.aborted) return;
      }
    })();
    expect(await reader.ended).toMatchObject({
      ...lost,
      message: expect.stringContaining('came instead of'),
    });
    reader.stop.abort();
    await publishing;
    expect((await taken).subject).toMatch(/^mail\./);
  });

  it('the server dies', async () => {
    await bus.publish(fact());
    const reader = reading(bus);
    await until(() => reader.seen.length > 0);
    await nats.kill();
    expect(await reader.ended).toMatchObject(lost);
    await nats.restart();
    await until(() => bus.connected());
    await until(async () => (await bus.state('MAIL').catch(() => null)) !== null);
    await operator.flush();
  });

  it('the server falls silent', async () => {
    await bus.publish(fact());
    const proxy = await silentProxy(nats.url);
    const behind = await connectBus({ url: proxy.url, name: 'muted', logger: silent });
    const reader = reading(behind);
    await until(() => reader.seen.length > 0);
    proxy.mute();
    expect(await reader.ended).toMatchObject({ ...lost, message: expect.stringContaining('heartbeats') });
    proxy.close();
    await behind.close();
  });
});
