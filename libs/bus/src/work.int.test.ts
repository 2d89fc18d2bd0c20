/** Work queues against the real server: every item is handled, by one at a time, whatever restarts meanwhile. */
import { cp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { subjects } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Bus, connectBus, type QueueOptions, type WorkItem } from './index.ts';
import { account, json, silent, until } from './testkit.ts';

let nats: TestNats;
let bus: Bus;
let other: Bus;

const HINTS = {
  stream: 'SYNC',
  durable: 'orchestrator',
  filter: ['sync.requested.>', 'sync.fetched.>'],
} as const;
const JOBS = { stream: 'FETCH', durable: 'imap-live', filter: 'fetch.imap.live.>' } as const;

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'work', logger: silent });
  other = await connectBus({ url: nats.url, name: 'work-other', logger: silent });
  await bus.ensureTopology();
});

beforeEach(async () => {
  await Promise.all([bus.purge('SYNC', '>'), bus.purge('FETCH', '>')]);
});

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

afterAll(async () => {
  await Promise.all([bus?.close(), other?.close()]);
  await nats?.drop();
});

/** Works in the background until the test ends. */
function working(
  worker: Bus,
  queue: Pick<QueueOptions, 'stream' | 'durable' | 'filter'> & Partial<QueueOptions>,
  handler: (item: WorkItem, signal: AbortSignal) => Promise<void> = (item) => item.ack(),
) {
  const stop = new AbortController();
  const handled: string[] = [];
  const ended = worker.work(
    { concurrency: 4, holdMs: 30_000, ...queue },
    async (item, signal) => {
      handled.push(item.subject);
      await handler(item, signal);
    },
    stop.signal,
  );
  const end = async () => {
    stop.abort();
    await ended;
  };
  stops.push(end);
  return { handled, stop: end };
}

const hint = (at = account()) => ({ subject: subjects.hint(at, 'push'), data: {} });
const job = () => subjects.job('imap', 'live', account().account, 'inbox');
const left = async (subject: string) => (await bus.last('SYNC', subject)) !== null;

describe('hints', () => {
  it('of one subject are one: twenty become one', async () => {
    const { subject } = hint();
    for (let count = 0; count < 20; count += 1) await bus.publish({ subject, data: {} });
    const after = hint();
    await bus.publish(after);
    const worker = working(bus, { ...HINTS, concurrency: 1 });
    await until(() => worker.handled.includes(after.subject));
    expect(worker.handled).toEqual([subject, after.subject]);
  });

  it('that come while one is being handled are delivered after it, and acknowledging the replaced one is harmless', async () => {
    const { subject } = hint();
    const handling = Promise.withResolvers<void>();
    const release = Promise.withResolvers<void>();
    let running = 0;
    let most = 0;
    const worker = working(bus, { ...HINTS, concurrency: 1 }, async (item) => {
      running += 1;
      most = Math.max(most, running);
      handling.resolve();
      await release.promise;
      await item.ack();
      running -= 1;
    });
    await bus.publish({ subject, data: {} });
    await handling.promise;
    for (let count = 0; count < 5; count += 1) await bus.publish({ subject, data: {} });
    release.resolve();
    await until(() => worker.handled.length === 2);
    await until(async () => !(await left(subject)));
    await worker.stop();
    expect(worker.handled).toEqual([subject, subject]);
    expect(most).toBe(1);
  });
});

describe('a work item', () => {
  it('is handled once, by one of several processes, never more at once than asked for', async () => {
    const items = Array.from({ length: 100 }, job);
    let running = 0;
    let most = 0;
    const handler = async (item: WorkItem) => {
      running += 1;
      most = Math.max(most, running);
      await item.ack();
      running -= 1;
    };
    const one = working(bus, { ...JOBS, concurrency: 3 }, handler);
    const two = working(other, { ...JOBS, concurrency: 3 }, handler);
    for (const subject of items) await bus.offer('FETCH', subject, {});
    await until(() => one.handled.length + two.handled.length >= items.length);
    await until(async () => (await bus.last('FETCH', '>')) === null);
    expect([...one.handled, ...two.handled].sort()).toEqual([...items].sort());
    expect(Math.min(one.handled.length, two.handled.length)).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(6);
  });

  it('comes again when its handler throws, and when it was left unsettled', async () => {
    const subject = job();
    const deliveries: number[] = [];
    working(bus, JOBS, async (item) => {
      deliveries.push(item.deliveries);
      if (item.deliveries === 1) throw new Error('not this time');
      if (item.deliveries === 3) await item.ack();
    });
    await bus.offer('FETCH', subject, {});
    await until(() => deliveries.length === 3);
    expect(deliveries).toEqual([1, 2, 3]);
    await until(async () => (await bus.last('FETCH', subject)) === null);
  });

  it('is kept by a handler that takes several hold times', async () => {
    const begun = performance.now();
    const items = [job(), job()];
    const handler = async (item: WorkItem) => {
      await until(() => performance.now() - begun > 2_500);
      await item.ack();
    };
    const workers = [bus, other].map((worker) => working(worker, { ...JOBS, holdMs: 600 }, handler));
    for (const subject of items) await bus.offer('FETCH', subject, {});
    await until(async () => (await bus.last('FETCH', '>')) === null);
    expect(workers.flatMap(({ handled }) => handled).sort()).toEqual(items.sort());
  });

  it('makes place for the next of its subject as soon as its acknowledgement has resolved', async () => {
    const subject = job();
    const worker = working(bus, JOBS, async (item) => {
      await bus.offer('FETCH', subject, { refused: true });
      await item.ack();
      if (worker.handled.length < 20) await bus.offer('FETCH', subject, {});
    });
    await bus.offer('FETCH', subject, {});
    await until(() => worker.handled.length === 20);
    await until(async () => (await bus.last('FETCH', subject)) === null);
    expect(worker.handled).toHaveLength(20);
  });

  it('that was not settled when a process stops goes to another at once', async () => {
    const begun = Promise.withResolvers<void>();
    const subject = job();
    const first = working(bus, { ...JOBS, concurrency: 1 }, async (_item, signal) => {
      begun.resolve();
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    });
    const waiting = [job(), job()];
    await bus.offer('FETCH', subject, {});
    await begun.promise;
    for (const one of waiting) await bus.offer('FETCH', one, {});
    await first.stop();
    expect(first.handled).toEqual([subject]);
    const second = working(other, JOBS);
    await until(() => second.handled.length === 3, 5_000);
    expect(second.handled.sort()).toEqual([subject, ...waiting].sort());
  });
});

describe('a queue', () => {
  it('counts what waits and what is being handled', async () => {
    expect(await bus.queue('FETCH', 'nobody')).toEqual({
      waiting: 0,
      held: 0,
      isAsked: false,
      takenAt: null,
    });
    const release = Promise.withResolvers<void>();
    const worker = working(bus, { ...JOBS, concurrency: 1 }, async (item) => {
      await release.promise;
      await item.ack();
    });
    for (const subject of [job(), job(), job()]) await bus.offer('FETCH', subject, {});
    await until(() => worker.handled.length === 1);
    const { takenAt, ...counts } = await bus.queue('FETCH', JOBS.durable);
    expect(counts).toEqual({ waiting: 2, held: 1, isAsked: false });
    expect(takenAt?.getTime()).toBeGreaterThan(Date.now() - 60_000);
    expect((await bus.state('FETCH')).messages).toBe(3);
    release.resolve();
    await until(async () => {
      const { waiting, held, isAsked } = await bus.queue('FETCH', JOBS.durable);
      return waiting + held === 0 && isAsked;
    });
  });
});

describe('a work queue outlives', () => {
  it('a server that is killed and comes back', { timeout: 60_000 }, async () => {
    const release = Promise.withResolvers<void>();
    const handling = Promise.withResolvers<void>();
    const worker = working(bus, HINTS, async (item) => {
      handling.resolve();
      await release.promise;
      await item.ack();
    });
    const during = hint();
    await bus.publish(during);
    await handling.promise;
    await nats.kill();
    await nats.restart();
    await until(() => bus.connected());
    release.resolve();
    const later = hint();
    await until(async () =>
      bus.publish(later).then(
        () => true,
        () => false,
      ),
    );
    await until(() => worker.handled.includes(later.subject));
    await until(async () => !(await left(during.subject)) && !(await left(later.subject)), 20_000);
  });

  it('its consumer, when somebody deletes that', { timeout: 60_000 }, async () => {
    const worker = working(bus, HINTS);
    const before = hint();
    await bus.publish(before);
    await until(() => worker.handled.includes(before.subject));
    const operator = await connect({ servers: nats.url });
    await (await jetstreamManager(operator)).consumers.delete('SYNC', HINTS.durable);
    await operator.close();
    const after = hint();
    await bus.publish(after);
    await until(() => worker.handled.includes(after.subject), 20_000);
  });

  it('a stream that is deleted and made again', { timeout: 60_000 }, async () => {
    const worker = working(bus, HINTS);
    const before = hint();
    await bus.publish(before);
    await until(() => worker.handled.includes(before.subject));
    const operator = await connect({ servers: nats.url });
    await (await jetstreamManager(operator)).streams.delete('SYNC');
    await operator.close();
    await bus.ensureTopology();
    const after = hint();
    await bus.publish(after);
    await until(() => worker.handled.includes(after.subject), 20_000);
  });
});

/** A full disk leaves what this test makes: the consumer knows that the job is done, the stream has it. */
it('a job that was done and is kept makes place for a new one', { timeout: 60_000 }, async () => {
  const [kept, waiting] = [job(), job()];
  const messagesIn = (streams: string) => join(streams, 'FETCH', 'msgs');
  const back = () => until(() => bus.state('FETCH').then(Boolean, () => false));
  const worker = working(bus, JOBS);
  await until(async () => (await bus.queue('FETCH', JOBS.durable)).isAsked);
  await worker.stop();
  await bus.offer('FETCH', kept, { run: 1 });
  await nats.whileStopped((streams, backup) => cp(messagesIn(streams), backup, { recursive: true }));
  await back();
  const first = working(bus, JOBS);
  await until(() => first.handled.includes(kept));
  await until(async () => (await bus.state('FETCH')).messages === 0);
  await first.stop();
  await nats.whileStopped(async (streams, backup) => {
    await rm(messagesIn(streams), { recursive: true });
    await cp(backup, messagesIn(streams), { recursive: true });
  });
  await back();

  await bus.offer('FETCH', waiting, { run: 2 });
  await bus.offer('FETCH', kept, { run: 3 });
  const second = working(bus, JOBS);
  await until(() => second.handled.length > 0);
  expect(second.handled).toEqual([waiting]);
  expect(json((await bus.last('FETCH', kept))!.data)).toEqual({ run: 1 });

  expect(await bus.removeAcknowledged('FETCH')).toBe(1);
  expect(await bus.removeAcknowledged('FETCH')).toBe(0);
  await bus.offer('FETCH', kept, { run: 4 });
  await until(() => second.handled.length === 2);
  expect(second.handled).toEqual([waiting, kept]);
});
