/** The atomic page against the real server: all or nothing, one winner, and the server's true words. */
import { type AccountRef, subjects } from '@mailstream/contracts';
import { createNats, type TestNats } from '@mailstream/testing';
import { headers as natsHeaders } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BatchOutcome, type Bus, BusError, BusUnsureError, connectBus, type Outgoing } from './index.ts';
import { account, json, silent, until } from './testkit.ts';

let nats: TestNats;
let bus: Bus;
let rival: Bus;

beforeAll(async () => {
  nats = await createNats();
  bus = await connectBus({ url: nats.url, name: 'batch', logger: silent });
  rival = await connectBus({ url: nats.url, name: 'rival', logger: silent });
  await bus.ensureTopology();
});

afterAll(async () => {
  await Promise.all([bus?.close(), rival?.close()]);
  await nats?.drop();
});

function page(at: AccountRef, size: number, id: string): Outgoing[] {
  const facts = Array.from({ length: size - 1 }, (_, index) => ({
    subject: subjects.fact(at, 'message.changed'),
    data: { page: id, index },
  }));
  return [...facts, { subject: subjects.cursor(at, 'inbox'), data: { page: id }, headers: { 'ce-id': id } }];
}

const cursorOf = (at: AccountRef) => subjects.cursor(at, 'inbox');

/** The page ids of an account's log, one per page; throws when a page is not contiguous or not whole. */
async function pagesOf(at: AccountRef, size: number): Promise<string[]> {
  const last = await bus.last('MAIL', cursorOf(at));
  const pages: string[] = [];
  if (!last) return pages;
  const stop = new AbortController();
  const log = [];
  for await (const batch of bus.read('MAIL', subjects.fact(at, '>'), 1n, stop.signal)) {
    log.push(...batch);
    if (batch.at(-1)?.sequence === last.sequence) break;
  }
  for (let start = 0; start < log.length; start += size) {
    const whole = log.slice(start, start + size);
    const ids = new Set(whole.map((message) => (json(message.data) as { page: string }).page));
    const first = whole[0]?.sequence ?? 0n;
    expect(whole.map((message) => message.sequence)).toEqual(whole.map((_, index) => first + BigInt(index)));
    expect(ids.size).toBe(1);
    pages.push(...ids);
  }
  return pages;
}

describe('an atomic batch', () => {
  it('without a fence is stored all the same; of one subject in it the last message stays', async () => {
    const [one, two] = [account(), account()];
    const hints = [one, two, one].map((at, index) => ({
      subject: subjects.hint(at, 'push'),
      data: { index },
    }));
    const outcome = await bus.publishBatch(hints, null);
    const last = await bus.last('SYNC', subjects.hint(one, 'push'));
    expect(outcome).toEqual({ outcome: 'committed', sequence: last?.sequence });
    expect(json(last!.data)).toEqual({ index: 2 });
    expect(await bus.last('SYNC', subjects.hint(two, 'push'))).not.toBeNull();
    expect((await bus.state('SYNC')).messages).toBe(2);
  });

  it('is stored contiguously and in order, up to a thousand messages', async () => {
    const at = account();
    const before = (await bus.state('MAIL')).last;

    const outcome = await bus.publishBatch(page(at, 1_000, 'p1'), { subject: cursorOf(at), sequence: 0n });

    expect(outcome).toEqual({ outcome: 'committed', sequence: before + 1_000n });
    expect(json((await bus.at('MAIL', before + 1n))!.data)).toEqual({ page: 'p1', index: 0 });
    const last = await bus.last('MAIL', cursorOf(at));
    expect(last).toMatchObject({ stream: 'MAIL', sequence: before + 1_000n, subject: cursorOf(at) });
    expect(last?.headers['ce-id']).toBe('p1');
  });

  it('may be a single message', async () => {
    const at = account();
    const first = await bus.publishBatch(page(at, 1, 'p1'), { subject: cursorOf(at), sequence: 0n });
    expect(first.outcome).toBe('committed');
    // A batch of one would cost the server its files.
    expect((await bus.last('MAIL', cursorOf(at)))?.headers).not.toHaveProperty('Nats-Batch-Id');
    const again = await bus.publishBatch(page(at, 1, 'p2'), { subject: cursorOf(at), sequence: 0n });
    expect(again).toEqual({ outcome: 'fenced' });
  });

  it('is refused whole when somebody else wrote to the fence first', async () => {
    const at = account();
    const fence = { subject: cursorOf(at), sequence: 0n };
    await bus.publishBatch(page(at, 3, 'mine'), fence);

    expect(await rival.publishBatch(page(at, 3, 'theirs'), fence)).toEqual({ outcome: 'fenced' });

    expect(await pagesOf(at, 3)).toEqual(['mine']);
  });

  it('has exactly one winner in each of 300 races, and the log stays whole', {
    timeout: 60_000,
  }, async () => {
    const at = account();
    const won: string[] = [];
    let sequence = 0n;
    for (let race = 0; race < 300; race += 1) {
      const fence = { subject: cursorOf(at), sequence };
      const outcomes = await Promise.all([
        bus.publishBatch(page(at, 4, `a${race}`), fence),
        rival.publishBatch(page(at, 4, `b${race}`), fence),
      ]);
      const winners = outcomes.filter((outcome) => outcome.outcome === 'committed');
      expect(winners).toHaveLength(1);
      expect(outcomes.filter((outcome) => outcome.outcome === 'fenced')).toHaveLength(1);
      won.push(outcomes[0].outcome === 'committed' ? `a${race}` : `b${race}`);
      sequence = winners[0]!.sequence;
    }
    expect(await pagesOf(at, 4)).toEqual(won);
  });

  it('waits its turn: a hundred at once are all stored', async () => {
    const accounts = Array.from({ length: 100 }, account);
    const outcomes = await Promise.all(
      accounts.map((at) => bus.publishBatch(page(at, 20, 'p'), { subject: cursorOf(at), sequence: 0n })),
    );
    expect(outcomes.every(({ outcome }) => outcome === 'committed')).toBe(true);
  });
});

describe('a batch that is refused', () => {
  it('is empty or too long: nothing is sent', async () => {
    const at = account();
    const fence = { subject: cursorOf(at), sequence: 0n };
    await expect(bus.publishBatch(page(at, 1_001, 'p'), fence)).rejects.toMatchObject({
      code: 'bus.batch_size',
    });
    await expect(bus.publishBatch([], fence)).rejects.toMatchObject({ code: 'bus.batch_size' });
    expect(await bus.last('MAIL', cursorOf(at))).toBeNull();
  });

  it('holds a message larger than the server takes: nothing is sent', async () => {
    const at = account();
    const [first, ...rest] = page(at, 3, 'p');
    const large = { ...first!, data: new Uint8Array(9 * 1_048_576) };
    const before = (await bus.state('MAIL')).last;
    await expect(
      bus.publishBatch([...rest, large], { subject: cursorOf(at), sequence: 0n }),
    ).rejects.toMatchObject({ code: 'bus.too_large' });
    expect((await bus.state('MAIL')).last).toBe(before);
  });

  it("carries the server's own number and words", async () => {
    const subject = subjects.dead('MAIL', 'test');
    const refused = bus.publishBatch(
      [
        { subject, data: 1 },
        { subject, data: 2 },
      ],
      { subject, sequence: 0n },
    );
    await expect(refused).rejects.toThrow(BusError);
    await expect(refused).rejects.toMatchObject({
      code: 'bus.refused',
      serverCode: 10174,
      message: expect.stringContaining('atomic publish is disabled'),
    });
  });

  it('goes to no stream', async () => {
    const subject = 'nowhere.at.all';
    await expect(bus.publishBatch([{ subject, data: 1 }], { subject, sequence: 0n })).rejects.toMatchObject({
      code: 'bus.no_responder',
    });
  });

  it('is `busy` when the server has its fill of batches from others', async () => {
    const other = await connect({ servers: nats.url });
    const at = account();
    const subject = subjects.change(at, 'message', 'created');
    for (let batch = 0; batch < 50; batch += 1) {
      const headers = natsHeaders();
      headers.set('Nats-Batch-Id', `other-${batch}`);
      headers.set('Nats-Batch-Sequence', '1');
      await other.request(subject, '{}', { headers, timeout: 5_000 });
    }
    const outcome = await bus.publishBatch(
      [
        { subject, data: 1 },
        { subject, data: 2 },
      ],
      { subject, sequence: 0n },
    );
    expect(outcome).toEqual({ outcome: 'busy' });
    await other.close();
  });
});

describe('an unsure commit', () => {
  it('is resolved by the last cursor: it bears the page, or nothing of the page is there', {
    timeout: 60_000,
  }, async () => {
    const own = await createNats();
    const writer = await connectBus({ url: own.url, name: 'unsure', logger: silent });
    await writer.ensureTopology();
    let unsure = 0;
    for (let round = 0; round < 5; round += 1) {
      const at = account();
      let sequence = 0n;
      let written = 0;
      const writing = (async () => {
        for (; ; written += 1) {
          const fence = { subject: cursorOf(at), sequence };
          const outcome: BatchOutcome = await writer.publishBatch(page(at, 200, `p${written}`), fence);
          if (outcome.outcome === 'committed') sequence = outcome.sequence;
        }
      })();
      const failed = writing.catch((error: unknown) => error);
      await until(() => written >= 5 + round);
      await own.kill();
      const error = await failed;
      expect(error).toBeInstanceOf(BusError);
      if (error instanceof BusUnsureError) unsure += 1;
      await own.restart();
      await until(async () => (await writer.state('MAIL').catch(() => null)) !== null);

      const last = await writer.last('MAIL', cursorOf(at));
      const landed = (json(last!.data) as { page: string }).page === `p${written}`;
      const log = await writer.state('MAIL');
      // Either all 200 of the page in question are there or none; the cursor is the last of them.
      expect(last!.sequence).toBe(landed ? sequence + 200n : sequence);
      expect(log.last).toBe(last!.sequence);
    }
    expect(unsure).toBeGreaterThan(0);
    await writer.close();
    await own.drop();
  });
});
