import { type DeadLetter, EVENT_TYPES, envelope, subjects, uuidv7 } from '@mailstream/contracts';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createFold } from './create-fold.ts';
import { createWorld, readChanges, readStream, silent, start, type World } from './testkit.ts';
import { createKeeper, readCopies } from './testkit-keeper.ts';
import { currentFence, newAccount, pageMessages, publishPage } from './testkit-pages.ts';

let world: World;
let stop: () => Promise<void>;
const at = newAccount();
const scope = 'inbox';

beforeAll(async () => {
  world = await createWorld();
  stop = start(createFold({ ...world, logger: silent, definition: createKeeper() }));
});

afterAll(async () => {
  await stop();
  await world.close();
});

const copies = async () => (await readCopies(world.db)).map((line) => line.split(' ').slice(2).join(' '));
const letters = async () =>
  (await readStream(world.bus, 'DEAD')).map(
    (message): DeadLetter => JSON.parse(Buffer.from(message.data).toString()),
  );
const becomes = async (expected: string[]) =>
  await vi.waitFor(async () => expect(await copies()).toEqual(expected), 10_000);

let page: string | null = null;

describe('a fact that cannot be used', () => {
  it.each([
    ['not-json', Buffer.from('{')],
    ['unknown-type', { type: 'com.example.thing' }],
    ['bad-schema', { type: EVENT_TYPES.messageChanged, id: 'x' }],
  ])('is parked as %s, and what follows is folded', async (reason, data) => {
    const subject = subjects.fact(at, 'message.changed');
    const sequence = await world.bus.publish({ subject, data });
    page = await publishPage(world.bus, { at, scope, prev: page, cursor: 1, seen: [[1, reason]] });
    await becomes([`1 ${reason}`]);
    const letter = (await letters()).find((each) => each.sequence === String(sequence));
    expect(letter).toMatchObject({ stream: 'MAIL', subject, reason });
  });

  it('inside a page leaves the page to go on without it, and the fold says so', async () => {
    const draft = { at, scope, page: uuidv7(), prev: page, cursor: 2 };
    const [first, ...rest] = pageMessages({
      ...draft,
      seen: [
        [2, 'two'],
        [3, 'three'],
      ],
    });
    const broken = { subject: subjects.fact(at, 'message.changed'), data: Buffer.from('no event') };
    const messages = first ? [first, broken, ...rest] : [];
    await world.bus.publishBatch(messages, await currentFence(world.bus, subjects.cursor(at, scope)));
    page = draft.page;
    await becomes(['1 bad-schema', '2 two', '3 three']);
    await vi.waitFor(async () => {
      const skipped = (await readChanges(world.bus)).filter(
        (each) => each.type === 'mailstream.message.skipped.v1',
      );
      expect(skipped.at(-1)?.data).toMatchObject({ reason: 'not-json' });
    }, 10_000);
  });

  it('is found among many when the database refuses it, and so is a second one', async () => {
    const seen = Array.from(
      { length: 300 },
      (_, i) => [10 + i, i === 77 || i === 205 ? 'nul \u0000' : 'good'] as const,
    );
    const before = (await letters()).length;
    page = await publishPage(world.bus, { at, scope, prev: page, cursor: 3, seen });
    page = await publishPage(world.bus, { at, scope, prev: page, cursor: 4, seen: [[400, 'after']] });
    await vi.waitFor(async () => expect(await copies()).toHaveLength(3 + 298 + 1), 20_000);
    const found = (await letters()).slice(before);
    expect(found.map((letter) => letter.reason)).toEqual(['refused', 'refused']);
    const events = found.map((letter) => JSON.parse(Buffer.from(letter.payload, 'base64').toString()));
    expect(events.map((event) => event.data.copy.id)).toEqual(['87', '215']);
  });

  it('because its page is never closed is parked, though nothing follows it', async () => {
    const other = newAccount();
    const draft = { at: other, scope, page: uuidv7(), prev: null, cursor: 1 };
    const [first] = pageMessages({ ...draft, seen: [[1, 'never closed']] });
    if (!first) throw new Error('a page has messages');
    const sequence = await world.bus.publish(first);
    await vi.waitFor(async () => {
      const letter = (await letters()).find((each) => each.sequence === String(sequence));
      expect(letter).toMatchObject({ reason: 'stray', detail: 'its page is not closed by a cursor' });
    }, 20_000);
    await publishPage(world.bus, { ...draft, page: uuidv7(), seen: [[1, 'closed']] });
    await vi.waitFor(async () => expect(await copies()).toContain('1 closed'), 10_000);
  });
});

describe('a cursor that cannot be used', () => {
  it('gives up its page; the log gets the cursor of the view again, and the account is hinted', async () => {
    const broken = { subject: subjects.cursor(at, scope), data: Buffer.from('no cursor') };
    const lost = pageMessages({ at, scope, prev: page, cursor: 9, seen: [[1, 'never']] }).slice(0, -1);
    await world.bus.publishBatch([...lost, broken], await currentFence(world.bus, broken.subject));

    const seed = await vi.waitFor(async () => {
      const last = await world.bus.last('MAIL', broken.subject);
      const event = JSON.parse(Buffer.from(last?.data ?? '').toString());
      expect(event.type).toBe(EVENT_TYPES.cursorSeeded);
      return event.data;
    }, 10_000);
    expect(seed).toMatchObject({ prev: page, cursor: 4 });
    await vi.waitFor(async () => {
      expect(await world.bus.last('SYNC', subjects.hint(at, 'user'))).not.toBeNull();
    }, 10_000);
    page = await publishPage(world.bus, { at, scope, prev: seed.page, cursor: 5, seen: [[1, 'again']] });
    await vi.waitFor(async () => expect(await copies()).toContain('1 again'), 10_000);
  });

  it('because the database refuses it is parked, and the page after it is fetched anew', async () => {
    const bad = await publishPage(world.bus, {
      ...{ at, scope, prev: page, cursor: 'nul \u0000', seen: [[1, 'never']] },
      page: 'nul \u0000',
    });
    await vi.waitFor(async () => expect((await letters()).at(-1)?.reason).toBe('refused'), 10_000);
    await vi.waitFor(async () => {
      const last = await world.bus.last('MAIL', subjects.cursor(at, scope));
      expect(JSON.parse(Buffer.from(last?.data ?? '').toString()).data).toMatchObject({
        prev: page,
        cursor: 5,
      });
    }, 10_000);
    expect(await copies()).toContain('1 again');
    expect(bad).not.toBe(page);
  });
});

it('leaves another account untouched by all this', async () => {
  const other = newAccount();
  const alone = envelope({
    ...{ ...other, id: 'x', source: '/test', type: EVENT_TYPES.messageChanged, time: '' },
    data: { op: 'removed', copy: { mailbox: 'inbox', generation: '1', id: '1' }, origin: 'live' },
  });
  await world.bus.publish({ subject: subjects.fact(at, 'message.changed'), data: alone });
  await publishPage(world.bus, { at: other, scope, prev: null, cursor: 1, seen: [[1, 'hello']] });
  await vi.waitFor(async () => expect(await copies()).toContain('1 hello'), 10_000);
  await vi.waitFor(async () => expect((await letters()).at(-1)?.reason).toBe('wrong-identity'), 10_000);
});
