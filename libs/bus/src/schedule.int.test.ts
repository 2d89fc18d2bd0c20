/** Schedules kept by the real server: they fire into the work queue, replace each other and can be cancelled. */
import { type HintReason, subjects } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Bus, connectBus } from './index.ts';
import { account, silent, until } from './testkit.ts';

let nats: TestNats;
let bus: Bus;
const stop = new AbortController();
let working: Promise<void>;
const hints: string[] = [];

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'schedule', logger: silent });
  await bus.ensureTopology();
  working = bus.work(
    { stream: 'SYNC', durable: 'orchestrator', filter: 'sync.requested.>', concurrency: 1, holdMs: 30_000 },
    async (item) => {
      hints.push(item.subject);
      await item.ack();
    },
    stop.signal,
  );
});

afterAll(async () => {
  stop.abort();
  await working;
  await bus?.close();
  await nats?.drop();
});

const count = (subject: string) => hints.filter((hint) => hint === subject).length;
const inMs = (ms: number) => ({ at: new Date(Date.now() + ms) });

function target(reason: HintReason = 'poll') {
  const at = account();
  return { at, hint: subjects.hint(at, reason), schedule: subjects.schedule(at, 'poll') };
}

describe('a schedule', () => {
  it('fires once at its time, into the work queue, and is gone', async () => {
    const { at, hint, schedule } = target();
    const due = inMs(700);
    await bus.schedule(at, 'poll', due, hint);
    expect(await bus.last('SYNC', schedule)).not.toBeNull();
    await until(() => count(hint) === 1);
    expect(Date.now()).toBeGreaterThanOrEqual(due.at.getTime());
    await until(async () => (await bus.last('SYNC', schedule)) === null);
  });

  it('fires at once when its time has passed', async () => {
    const { at, hint } = target('retry');
    await bus.schedule(at, 'retry', inMs(-60_000), hint);
    await until(() => count(hint) === 1);
  });

  it('fires again and again, until it is cancelled', async () => {
    const { at, hint, schedule } = target();
    await bus.schedule(at, 'poll', { everyMs: 1_000 }, hint);
    await until(() => count(hint) === 2);
    await bus.cancelSchedule(at, 'poll');
    expect(await bus.last('SYNC', schedule)).toBeNull();
    // One that was due at that moment may still come; a later schedule that fires shows that no more do.
    const seen = count(hint);
    const clock = target();
    await bus.schedule(clock.at, 'poll', inMs(2_500), clock.hint);
    await until(() => count(clock.hint) === 1);
    expect(count(hint)).toBeLessThanOrEqual(seen + 1);
  });

  it('is replaced by the next of its kind', async () => {
    const { at, hint, schedule } = target();
    const user = subjects.hint(at, 'user');
    await bus.schedule(at, 'poll', inMs(900), hint);
    await bus.schedule(at, 'poll', inMs(1_300), user);
    await until(() => count(user) === 1);
    expect(count(hint)).toBe(0);
    await until(async () => (await bus.last('SYNC', schedule)) === null);
  });

  it('may be cancelled when there is none', async () => {
    await bus.cancelSchedule(account(), 'poll');
  });

  it('is refused when it is too frequent, or aims out of the stream', async () => {
    const { at, hint } = target();
    await expect(bus.schedule(at, 'poll', { everyMs: 999 }, hint)).rejects.toThrow(RangeError);
    const astray = bus.schedule(at, 'poll', { everyMs: 1_000 }, 'mail.00.acme.a.message.changed');
    await expect(astray).rejects.toMatchObject({
      code: 'bus.refused',
      message: expect.stringContaining('target'),
    });
  });
});
